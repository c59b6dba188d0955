#!/usr/bin/env python3
"""co_await only where GCC 12 compiles it rightly: `auto r = co_await x;`, one a statement."""

import re

import sources

RULES = [
    (re.compile(r"\b(?:CHECK|REQUIRE|WARN|ASSERT|EXPECT|assert)\w*\s*\("), "inside a test macro"),
    (re.compile(r"\b(?:if|while|for|switch)\s*(?:constexpr\s*)?\("), "inside a condition"),
]
STATEMENT_RULES = [
    (re.compile(r"\bauto\s*(?:&{1,2})?\s*\[[^\]]*\]\s*=\s*co_await\b"), "in a structured binding"),
    (re.compile(r"(?:\?|&&|\|\|)[^{};]*\bco_await\b"), "in a ternary or behind a short circuit"),
    (re.compile(r"\bco_await\b[^{};]*(?:\?|&&|\|\|)"), "in a ternary or before a short circuit"),
    (re.compile(r"\bco_await\b[^{};]*\bco_await\b"), "twice in a statement"),
]
CAPTURING = re.compile(r"\[(?P<captures>[^\[\]{};]*[^\[\]{};\s][^\[\]{};]*)\]\s*"
                       r"(?:<[^{};]*?>\s*)?(?:\([^{};]*?\)\s*)?(?:mutable\s*|noexcept\s*)*"
                       r"(?:->\s*[\w:<>,\s*&]+?)?\{")
NESTED_LAMBDA = re.compile(r"\[[^\[\]{};]*\]\s*(?:\([^{};]*?\)\s*)?(?:->\s*[\w:<>,\s*&]+?)?\{")


def closing(text, opening):
    """The offset behind the bracket that closes the one at `opening`."""
    pairs = {"(": ")", "{": "}"}
    open_, close = text[opening], pairs[text[opening]]
    depth = 0
    for at in range(opening, len(text)):
        depth += (text[at] == open_) - (text[at] == close)
        if depth == 0:
            return at + 1
    return len(text)


def without_lambdas(body):
    """A lambda's own body with the lambdas inside it blanked: theirs is another coroutine."""
    while match := NESTED_LAMBDA.search(body):
        end = closing(body, match.end() - 1)
        body = body[:match.start()] + " " * (end - match.start()) + body[end:]
    return body


def check(path, text):
    code = sources.code_only(text)
    for rule, where in RULES:
        for match in rule.finditer(code):
            inside = code[match.end() - 1:closing(code, match.end() - 1)]
            if re.search(r"\bco_await\b", without_lambdas(inside)):
                yield sources.line_of(code, match.start()), f"co_await {where}"
    # statements, as far as brackets let a grep see them; a && in a parameter list is a reference
    start = 0
    for end in [m.end() for m in re.finditer(r"[;{}]", code)]:
        statement = code[start:end]
        if "co_await" in statement and "operator co_await" not in statement:
            plain = re.sub(r"(?<=[\w>])\s*&&(?=\s*(?:\w+\s*)?[,)>])", "", statement)
            for rule, where in STATEMENT_RULES:
                if rule.search(plain):
                    yield (sources.line_of(code, start + statement.index("co_await")),
                           f"co_await {where}")
        start = end
    for match in CAPTURING.finditer(code):
        if re.match(r"\s*\[", code[match.start():match.start() + 1]) and \
                re.search(r"[\w)\]]\s*$", code[:match.start()]) and \
                not re.search(r"\b(?:return|co_return|co_await|co_yield)\s*$", code[:match.start()]):
            continue  # a subscript
        body = without_lambdas(code[match.end():closing(code, match.end() - 1)])
        if re.search(r"\bco_(?:await|return|yield)\b", body):
            yield sources.line_of(code, match.start()), "a coroutine that is a capturing lambda"


BAD = [("bad.cpp", text) for text in (
    "task<> f() { if (co_await op{}) { g(); } }",
    "task<> f() { while (n && co_await x) {} }",
    "task<> f() { for (auto r = co_await x; r; ) {} }",
    "task<> f() { switch (co_await x) {} }",
    "task<> f() { CHECK(co_await x == 1); }",
    "task<> f() { REQUIRE_EQ(1,\n co_await x); }",
    "task<> f() { auto r = a ? co_await x : co_await y; }",
    "task<> f() { auto r = ready || co_await x; }",
    "task<> f() { auto r = co_await x && ready; }",
    "task<> f() { auto [a, b] = co_await x; }",
    "task<> f() { use(co_await x, co_await y); }",
    "auto f = [&]() -> task<> { co_return; };",
    "auto f = [this, n](int m) mutable -> task<int> { auto r = co_await g(); co_return m; };",
    "void f() { spawn([&peer] { co_await peer.close(); }()); }",
)]
GOOD = [("good.cpp", text) for text in (
    "task<> f() { auto r = co_await op; if (r) { g(); } }",
    "task<> f() { // if (co_await x)\n }",
    "task<> f() { auto s = \"if (co_await x)\"; }",
    "auto f = [](int n) -> task<int> { auto r = co_await g(n); co_return *r; };",
    "auto f = [&] { return [](int n) -> task<> { co_return; }; };",
    "task<> f(T&& a, U&& b) { auto r = co_await g(std::forward<T>(a)); }",
    "task<> f() { while (true) { auto n = co_await peer.recv(buffer[0]); if (!n || *n == 0) { co_return; } } }",
    "task<> f() { buffers[i] = 1; co_return; }",
)]

if __name__ == "__main__":
    sources.run(__doc__, check, BAD, GOOD)
