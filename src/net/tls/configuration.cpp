#include "net/tls/configuration.hpp"

#include "net/tls/errors.hpp"
#include "net/tls/random.hpp"
#include "net/tls/signing.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <iterator>
#include <new>
#include <utility>

#include <mbedtls/platform_util.h>

#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_PROTO_TLS1_3)
#define WEFT_TLS_PSA 1
#include <psa/crypto.h>
#else
#define WEFT_TLS_PSA 0
#endif

namespace weft::tls {

namespace {

/// PEM is parsed with the NUL behind it, which a view has not; DER as it is. It may be a key, of
/// which nothing stays.
class parsable {
  public:
    explicit parsable(std::string_view given) noexcept : size_(given.size()) {
        if (given.find("-----BEGIN") == std::string_view::npos) {
            start_ = given.data();
            return;
        }
        copy_ = static_cast<char*>(allocate(given.size() + 1));
        if (copy_ != nullptr) {
            std::memcpy(copy_, given.data(), given.size());
            copy_[given.size()] = '\0';
            ++size_;
        }
        start_ = copy_;
    }
    parsable(const parsable&) = delete;
    parsable& operator=(const parsable&) = delete;
    ~parsable() {
        if (copy_ != nullptr) {
            mbedtls_platform_zeroize(copy_, size_);
            release(copy_);
        }
    }
    [[nodiscard]] const unsigned char* data() const noexcept {
        return reinterpret_cast<const unsigned char*>(start_);
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] explicit operator bool() const noexcept { return start_ != nullptr; }

  private:
    char* copy_ = nullptr;
    const char* start_ = nullptr;
    std::size_t size_;
};

errc parse(mbedtls_x509_crt& into, std::string_view given) noexcept {
    const parsable text(given);
    if (!text) {
        return errc::no_memory;
    }
    const int failed = mbedtls_x509_crt_parse(&into, text.data(), text.size());
    return failed == 0 ? errc::ok : meaning_for_options(failed < 0 ? failed : -1);
}

/// A board's mbedTLS may be without clients or without servers.
constexpr bool is_built([[maybe_unused]] configuration::end which) noexcept {
#if !defined(MBEDTLS_SSL_CLI_C)
    return which == configuration::end::server;
#elif !defined(MBEDTLS_SSL_SRV_C)
    return which == configuration::end::client;
#else
    return true;
#endif
}

#if defined(MBEDTLS_ECP_RESTARTABLE)
/// Of a curve at a time, in multiplications of its field. P-256 has 3,300; a Cortex-M3 takes 4,000
/// instructions for one.
constexpr unsigned operations_in_a_step = 250;
[[maybe_unused]] constexpr bool in_steps = true;
#else
[[maybe_unused]] constexpr bool in_steps = false;
#endif

int parse_key(mbedtls_pk_context& into, const parsable& text, std::string_view password) noexcept {
    const auto* const secret = reinterpret_cast<const unsigned char*>(password.data());
#if MBEDTLS_VERSION_MAJOR < 3
    return mbedtls_pk_parse_key(&into, text.data(), text.size(), secret, password.size());
#else
    return mbedtls_pk_parse_key(
        &into, text.data(), text.size(), secret, password.size(), random, nullptr);
#endif
}

int check_pair(const mbedtls_x509_crt& shown, const mbedtls_pk_context& key) noexcept {
#if MBEDTLS_VERSION_MAJOR < 3
    return mbedtls_pk_check_pair(&shown.pk, &key);
#else
    return mbedtls_pk_check_pair(&shown.pk, &key, random, nullptr);
#endif
}

/// mbedTLS writes hyphens where IANA has underscores. 0: unknown.
int cipher_named(std::string_view name) noexcept {
    std::array<char, 64> spelled{};
    if (name.size() >= spelled.size()) {
        return 0;
    }
    std::replace_copy(name.begin(), name.end(), spelled.begin(), '_', '-');
    return mbedtls_ssl_get_ciphersuite_id(spelled.data());
}

} // namespace

errc read_pair(
    mbedtls_x509_crt& shown, mbedtls_pk_context& key, std::string_view certificate,
    std::string_view secret, std::string_view password) noexcept {
    if (certificate.empty() || secret.empty()) {
        return errc::invalid_argument;
    }
    if (const errc error = parse(shown, certificate); error != errc::ok) {
        return error;
    }
    const parsable text(secret);
    if (!text) {
        return errc::no_memory;
    }
    if (const int failed = parse_key(key, text, password); failed != 0) {
        return meaning_for_options(failed);
    }
    const int failed = check_pair(shown, key);
    return failed == 0 ? errc::ok : meaning_for_options(failed);
}

configuration::configuration(end which) noexcept : end_(which) {
    mbedtls_ssl_config_init(&config_);
    mbedtls_x509_crt_init(&authorities_);
    mbedtls_x509_crt_init(&own_);
    mbedtls_pk_init(&key_);
#if WEFT_TLS_TICKETS
    mbedtls_ssl_ticket_init(&tickets_);
#endif
#if WEFT_TLS_CACHE
    mbedtls_ssl_cache_init(&cache_);
#endif
}

configuration::~configuration() {
    mbedtls_ssl_config_free(&config_);
    mbedtls_x509_crt_free(&authorities_);
    mbedtls_x509_crt_free(&own_);
    mbedtls_pk_free(&key_);
#if WEFT_TLS_TICKETS
    mbedtls_ssl_ticket_free(&tickets_);
#endif
#if WEFT_TLS_CACHE
    mbedtls_ssl_cache_free(&cache_);
#endif
}

result<configuration*> configuration::make(end which, const tls_options& options) noexcept {
#if WEFT_TLS_PSA
    if (psa_crypto_init() != PSA_SUCCESS) { // idempotent
        return fail(errc::no_memory);
    }
#endif
    std::unique_ptr<configuration> made(new (std::nothrow) configuration(which));
    if (!made) {
        return fail(errc::no_memory);
    }
#if defined(MBEDTLS_ECP_RESTARTABLE)
    mbedtls_ecp_set_max_ops(operations_in_a_step);
#endif
    const memory_watch watch;
    if (const errc error = made->take(options); error != errc::ok) {
        return fail(watch.or_memory(error));
    }
    return made.release();
}

errc configuration::take(const tls_options& options) noexcept {
    if (!is_built(end_)) {
        return errc::not_supported;
    }
    const int failed = mbedtls_ssl_config_defaults(
        &config_, end_ == end::client ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (failed != 0) {
        return meaning_for_options(failed);
    }
    mbedtls_ssl_conf_rng(&config_, random, nullptr);
    mbedtls_ssl_conf_authmode(
        &config_, options.verify == tls_verify::required   ? MBEDTLS_SSL_VERIFY_REQUIRED
                  : options.verify == tls_verify::optional ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                                           : MBEDTLS_SSL_VERIFY_NONE);
    take_curves();
    verify_ = options.verify;
    if (options.clock != nullptr) {
        clock_ = options.clock;
        clock_context_ = options.clock_context;
        mbedtls_ssl_conf_verify(&config_, judge_one, this);
    }
    if (const errc error = take_minimum(options.minimum); error != errc::ok) {
        return error;
    }
    if (const errc error = take_resumption(options); error != errc::ok) {
        return error;
    }
    if (const errc error = take_longest_record(options.longest_record); error != errc::ok) {
        return error;
    }
    if (const errc error = take_authorities(options); error != errc::ok) {
        return error;
    }
    if (const errc error = take_own(options); error != errc::ok) {
        return error;
    }
    return take_names(options);
}

errc configuration::take_minimum(tls_version minimum) noexcept {
#if MBEDTLS_VERSION_MAJOR < 3
    if (minimum == tls_version::tls_1_3) {
        return errc::not_supported;
    }
    mbedtls_ssl_conf_min_version(
        &config_, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#elif WEFT_TLS_1_3
    mbedtls_ssl_conf_min_tls_version(
        &config_,
        minimum == tls_version::tls_1_3 ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2);
#else
    if (minimum == tls_version::tls_1_3) {
        return errc::not_supported;
    }
#endif
    return errc::ok;
}

errc configuration::take_resumption(const tls_options& options) noexcept {
    [[maybe_unused]] const bool wanted = options.resumption;
#if WEFT_TLS_1_3
    // by an earlier secret and new ones: forward secrecy is worth one multiplication
    mbedtls_ssl_conf_tls13_key_exchange_modes(
        &config_, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
#endif
    if (end_ == end::client) {
#if defined(MBEDTLS_SSL_CLI_C) && defined(MBEDTLS_SSL_SESSION_TICKETS)
        resumes_ = wanted;
        mbedtls_ssl_conf_session_tickets(
            &config_,
            wanted ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#if WEFT_TLS_1_3
        mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
            &config_, wanted ? MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED
                             : MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_DISABLED);
#endif
#endif
        return errc::ok;
    }
    if (!wanted) {
        return errc::ok;
    }
#if WEFT_TLS_TICKETS
    constexpr std::uint32_t lifetime = 86'400; // seconds
    const int failed =
        mbedtls_ssl_ticket_setup(&tickets_, random, nullptr, MBEDTLS_CIPHER_AES_256_GCM, lifetime);
    if (failed != 0) {
        return meaning_for_options(failed);
    }
    mbedtls_ssl_conf_session_tickets_cb(
        &config_, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &tickets_);
#if WEFT_TLS_1_3
    if (options.verify != tls_verify::none) {
        // mbedTLS keeps nothing of the client's certificate in these, and would call any good
        mbedtls_ssl_conf_new_session_tickets(&config_, 0);
    }
#endif
#endif
#if WEFT_TLS_CACHE
    mbedtls_ssl_conf_session_cache(&config_, &cache_, mbedtls_ssl_cache_get, mbedtls_ssl_cache_set);
#endif
    return errc::ok;
}

/// The fast ones first, as mbedTLS 3 has them; 2.28 begins with 521 bits, for five times the time.
void configuration::take_curves() noexcept {
#if MBEDTLS_VERSION_MAJOR < 3 && defined(MBEDTLS_ECP_C)
    constexpr mbedtls_ecp_group_id first[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1};
    const auto wanted = [this](mbedtls_ecp_group_id curve) noexcept {
        return !(in_steps && end_ == end::client && curve == MBEDTLS_ECP_DP_CURVE25519);
    };
    std::size_t known = 0;
    for (const mbedtls_ecp_group_id each : first) {
        if (wanted(each) && mbedtls_ecp_curve_info_from_grp_id(each) != nullptr) {
            curves_[known++] = each;
        }
    }
    for (const mbedtls_ecp_group_id* each = mbedtls_ecp_grp_id_list();
         *each != MBEDTLS_ECP_DP_NONE && known < MBEDTLS_ECP_DP_MAX; ++each) {
        if (std::find(std::begin(first), std::end(first), *each) == std::end(first)) {
            curves_[known++] = *each;
        }
    }
    mbedtls_ssl_conf_curves(&config_, curves_.data());
#endif
}

namespace {

/// A board's mbedTLS may not have room for a record of 16 KiB: then servers are told.
constexpr unsigned room = std::min(MBEDTLS_SSL_IN_CONTENT_LEN, MBEDTLS_SSL_OUT_CONTENT_LEN);
constexpr unsigned longest_by_itself = room < 16'384 ? std::min(4096U, std::bit_floor(room)) : 0;

} // namespace

errc configuration::take_longest_record(unsigned bytes) noexcept {
    if (bytes == 0 && end_ == end::client) {
        bytes = longest_by_itself;
    }
    if (bytes == 0) {
        return errc::ok;
    }
#if defined(MBEDTLS_SSL_MAX_FRAGMENT_LENGTH)
    constexpr unsigned char codes[] = {
        MBEDTLS_SSL_MAX_FRAG_LEN_512, MBEDTLS_SSL_MAX_FRAG_LEN_1024, MBEDTLS_SSL_MAX_FRAG_LEN_2048,
        MBEDTLS_SSL_MAX_FRAG_LEN_4096};
    for (std::size_t i = 0; i < std::size(codes); ++i) {
        if (bytes == 512U << i) {
            return mbedtls_ssl_conf_max_frag_len(&config_, codes[i]) == 0 ? errc::ok
                                                                          : errc::invalid_argument;
        }
    }
    return errc::invalid_argument;
#else
    return errc::not_supported;
#endif
}

namespace {

std::int64_t seconds_of(const mbedtls_x509_time& t) noexcept {
    using namespace std::chrono;
    const sys_days day = year(t.year) / month(static_cast<unsigned>(t.mon)) /
                         std::chrono::day(static_cast<unsigned>(t.day));
    return std::int64_t{day.time_since_epoch().count()} * 86'400 + t.hour * 3600 + t.min * 60 +
           t.sec;
}

} // namespace

/// mbedTLS has asked the system's clock; ours decides.
void configuration::judge_dates(
    const mbedtls_x509_crt& shown, std::uint32_t& found) const noexcept {
    const std::int64_t now = clock_(clock_context_);
    found &= ~std::uint32_t{MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE};
    if (now > seconds_of(shown.valid_to)) {
        found |= MBEDTLS_X509_BADCERT_EXPIRED;
    }
    if (now < seconds_of(shown.valid_from)) {
        found |= MBEDTLS_X509_BADCERT_FUTURE;
    }
}

void configuration::judge(
    const mbedtls_x509_crt& shown, int depth, std::uint32_t& found) const noexcept {
    if (clock_ != nullptr) {
        judge_dates(shown, found);
    }
    for (const addition* each = additions_.get(); each != nullptr; each = each->next.get()) {
        each->judge(shown, depth, found);
    }
}

int configuration::judge_one(
    void* self, mbedtls_x509_crt* shown, int depth, std::uint32_t* flags) noexcept {
    static_cast<configuration*>(self)->judge(*shown, depth, *flags);
    return 0;
}

void configuration::add(std::unique_ptr<addition> what) noexcept {
    mbedtls_ssl_conf_verify(&config_, judge_one, this);
    what->next = std::move(additions_);
    additions_ = std::move(what);
}

mbedtls_pk_context* configuration::key_of(const mbedtls_x509_crt& shown) noexcept {
    mbedtls_pk_context* found = &shown == &own_ ? &key_ : nullptr;
    for (addition* each = additions_.get(); each != nullptr && found == nullptr;
         each = each->next.get()) {
        found = each->key_of(shown);
    }
    return found;
}

bool configuration::describe(digest::value& into) const noexcept {
    digest all;
    all.add(&verify_, sizeof verify_);
    for (const mbedtls_x509_crt* each = &authorities_; each != nullptr; each = each->next) {
        all.add(each->raw.p, each->raw.len);
    }
    for (const addition* each = additions_.get(); each != nullptr; each = each->next.get()) {
        each->describe(all);
    }
    return all.finish(into);
}

errc configuration::take_authorities(const tls_options& options) noexcept {
    if (!options.authorities.empty()) {
        if (const errc error = parse(authorities_, options.authorities); error != errc::ok) {
            return error;
        }
    }
    if (options.authorities_file != nullptr) {
#if defined(MBEDTLS_FS_IO)
        // a positive number counts those of a system's bundle that it cannot read
        const int failed = mbedtls_x509_crt_parse_file(&authorities_, options.authorities_file);
        if (failed < 0) {
            return meaning_for_options(failed);
        }
#else
        return errc::not_supported;
#endif
    }
    const bool pins = options.pins.take_ != nullptr;
    if (has_authorities() || pins) { // mbedTLS looks at nothing without a list, be it empty
        mbedtls_ssl_conf_ca_chain(&config_, &authorities_, nullptr);
    } else if (options.verify != tls_verify::none) {
        return errc::invalid_argument;
    }
    if (pins && options.verify == tls_verify::none) { // it would be of no effect
        return errc::invalid_argument;
    }
    return pins ? options.pins.take_(*this, options.pins.keys_) : errc::ok;
}

errc configuration::take_own(const tls_options& options) noexcept {
    if (options.certificate.empty() && options.key.empty() && end_ == end::client) {
        return options.identities.take_ == nullptr ? errc::ok : errc::invalid_argument;
    }
    if (const errc error =
            read_pair(own_, key_, options.certificate, options.key, options.key_password);
        error != errc::ok) {
        return error;
    }
#if WEFT_TLS_SIGNS_IN_STEPS
    sign_in_steps(config_, *this);
#endif
    const int failed = mbedtls_ssl_conf_own_cert(&config_, &own_, &key_);
    if (failed != 0) {
        return meaning_for_options(failed);
    }
    const tls_identities& more = options.identities;
    return more.take_ != nullptr ? more.take_(*this, more.each_) : errc::ok;
}

errc configuration::take_names(const tls_options& options) noexcept {
    if (options.protocols.size() > most_protocols || options.ciphers.size() > most_ciphers) {
        return errc::invalid_argument;
    }
    for (std::size_t i = 0; i < options.protocols.size(); ++i) {
        const std::string_view name = options.protocols[i];
        const bool whole = name.find('\0') == std::string_view::npos;
        if (name.empty() || name.size() > longest_protocol || !whole) {
            return errc::invalid_argument;
        }
        std::memcpy(protocols_[i].data(), name.data(), name.size());
        protocol_list_[i] = protocols_[i].data();
    }
    if (!options.protocols.empty()) {
        const int failed = mbedtls_ssl_conf_alpn_protocols(&config_, protocol_list_.data());
        if (failed != 0) {
            return meaning_for_options(failed);
        }
    }
    for (std::size_t i = 0; i < options.ciphers.size(); ++i) {
        ciphers_[i] = cipher_named(options.ciphers[i]);
        if (ciphers_[i] == 0) {
            return errc::invalid_argument;
        }
    }
    return options.ciphers.empty() ? errc::ok : take_ciphers(options.minimum);
}

/// Versions that none of the suites is of are not offered: mbedTLS 3 would choose one and fail.
errc configuration::take_ciphers([[maybe_unused]] tls_version minimum) noexcept {
    mbedtls_ssl_conf_ciphersuites(&config_, ciphers_.data());
#if WEFT_TLS_1_3
    bool of_1_3 = false;
    bool of_1_2 = false;
    for (std::size_t i = 0; ciphers_[i] != 0; ++i) {
        (ciphers_[i] >> 8 == 0x13 ? of_1_3 : of_1_2) = true; // RFC 8446, B.4
    }
    if (!of_1_3) {
        if (minimum == tls_version::tls_1_3) {
            return errc::invalid_argument;
        }
        mbedtls_ssl_conf_max_tls_version(&config_, MBEDTLS_SSL_VERSION_TLS1_2);
    }
    if (!of_1_2) {
        mbedtls_ssl_conf_min_tls_version(&config_, MBEDTLS_SSL_VERSION_TLS1_3);
    }
#endif
    return errc::ok;
}

} // namespace weft::tls
