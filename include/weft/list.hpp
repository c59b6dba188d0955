// Intrusive doubly linked lists: a node unlinks itself in constant time and nothing is allocated.
#pragma once

#include <weft/one_stack.hpp>

#include <cstddef>

namespace weft {

/// A place in one list. Unlinking needs no list. Whoever destroys a linked one unlinks it first:
/// awaiters, which know more cheaply whether they are linked, are made of these.
class list_link {
  public:
    list_link() noexcept : next_(nullptr) {}
    /// A copy is a fresh link, in no list: awaiters move before they are awaited.
    list_link(const list_link&) noexcept : next_(nullptr) {}
    list_link& operator=(const list_link&) = delete;

    [[nodiscard]] bool linked() const noexcept { return next_ != nullptr; }

    WEFT_SMALL void unlink() noexcept {
        if (next_ == nullptr) {
            return;
        }
        next_->prev_ = prev_;
        prev_->next_ = next_;
        next_ = nullptr;
    }

  protected:
    ~list_link() = default;

    struct unset {};
    /// Neither linked nor unlinked, until reset(): what is not used costs nothing.
    explicit list_link(unset) noexcept {}
    void reset() noexcept { next_ = nullptr; }

  private:
    template <class T>
    friend class list;

    // Of a list's head. The order of the stores keeps GCC from joining two of a pointer into a
    // slower one of 16 bytes.
    WEFT_SMALL void append(list_link& node) noexcept {
        list_link& last = *prev_;
        node.prev_ = &last;
        prev_ = &node;
        node.next_ = this;
        last.next_ = &node;
    }
    list_link& take_first() noexcept {
        list_link& first = *next_;
        next_ = first.next_;
        first.next_->prev_ = this;
        first.next_ = nullptr;
        return first;
    }

    list_link* next_; // null: in no list
    list_link* prev_; // valid while next_ is
};

/// A place in one list that unlinks itself when destroyed.
class list_node : public list_link {
  public:
    ~list_node() { unlink(); }
    list_node() noexcept = default;
    list_node(const list_node&) noexcept = default;
    list_node& operator=(const list_node&) = delete;
};

/// A list of T, each derived from list_link. It owns none of them; its own destruction unlinks all.
template <class T>
class list {
  public:
    list() noexcept { head_.next_ = head_.prev_ = &head_; }
    list(const list&) = delete;
    list& operator=(const list&) = delete;
    ~list() {
        while (!empty()) {
            pop_front();
        }
        head_.next_ = nullptr;
    }

    [[nodiscard]] bool empty() const noexcept { return head_.next_ == &head_; }
    [[nodiscard]] T& front() const noexcept { return *static_cast<T*>(head_.next_); }

    /// By walking it.
    [[nodiscard]] std::size_t count() const noexcept {
        std::size_t n = 0;
        for (const list_link* at = head_.next_; at != &head_; at = at->next_) {
            ++n;
        }
        return n;
    }

    void push_back(T& item) noexcept { head_.append(item); }

    T& pop_front() noexcept { return static_cast<T&>(head_.take_first()); }

    /// Calls visit(T&) on each; the visited node may unlink itself.
    template <class F>
    void for_each(F&& visit) {
        for (list_link* at = head_.next_; at != &head_;) {
            list_link* following = at->next_;
            visit(*static_cast<T*>(at));
            at = following;
        }
    }

  private:
    struct sentinel : list_link {};
    sentinel head_;
};

} // namespace weft
