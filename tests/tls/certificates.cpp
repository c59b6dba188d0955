#include "certificates.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tls_test {
namespace {

constexpr const char* script = R"(
set -e; cd "$1"; exec 2>openssl.log
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key; }
authority() {
    key $1
    openssl req -x509 -new -key $1.key -subj "/CN=weft test authority" -days 2 -out $1.pem
}
signed() { # name, authority, days, subjectAltName or another extension
    openssl req -new -key $1.key -subj "/CN=$1" -out $1.csr
    echo "$4" >$1.ext
    openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days $3 \
        -extfile $1.ext -out $1.pem
}
authority authority
authority stranger
for each in server client expired strange intermediate leaf other many; do key $each; done
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key
signed server authority 2 subjectAltName=DNS:weft.test
signed other authority 2 subjectAltName=DNS:other.test
signed many authority 2 \
    "subjectAltName=DNS:*.wild.test,IP:192.0.2.7,IP:2001:db8::7,DNS:192.0.2.8"
signed client authority 2 subjectAltName=DNS:client.weft.test
signed expired authority -1 subjectAltName=DNS:weft.test
signed strange stranger 2 subjectAltName=DNS:weft.test
signed rsa authority 2 subjectAltName=DNS:weft.test
signed intermediate authority 2 basicConstraints=critical,CA:TRUE
signed leaf intermediate 2 subjectAltName=DNS:weft.test
cat leaf.pem intermediate.pem >chain.pem; cp leaf.key chain.key
key itself
openssl req -x509 -new -key itself.key -subj "/CN=weft.test" -addext subjectAltName=DNS:weft.test \
    -days 2 -out itself.pem
)";

class directory {
  public:
    directory() {
        std::array<char, 32> name{"/tmp/weft-tls-XXXXXX"};
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name.data();
        std::ofstream(path + "/make.sh") << script;
        REQUIRE(std::system(("sh " + path + "/make.sh " + path).c_str()) == 0);
    }
    directory(const directory&) = delete;
    directory& operator=(const directory&) = delete;
    ~directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream file(path + "/" + name);
        std::string text(std::istreambuf_iterator<char>(file), {});
        REQUIRE(!text.empty());
        return text;
    }
    [[nodiscard]] identity of(const std::string& name) const {
        return {read(name + ".pem"), read(name + ".key")};
    }
    std::string path;
};

} // namespace

const certificates& made() {
    static const directory in;
    static const certificates all{in.path,          in.read("authority.pem"),
                                  in.of("server"),  in.of("client"),
                                  in.of("expired"), in.read("stranger.pem"),
                                  in.of("strange"), in.of("rsa"),
                                  in.of("chain"),   in.of("leaf"),
                                  in.of("itself"),  in.of("other"),
                                  in.of("many")};
    return all;
}

namespace {

/// What a command of openssl's makes of `given`: it reads from $in.
std::string by_openssl(const std::string& given, const std::string& command) {
    const std::string path = made().directory + "/given";
    std::ofstream(path) << given;
    REQUIRE(std::system(("in=" + path + "; " + command + " >" + path + ".out").c_str()) == 0);
    std::ifstream file(path + ".out");
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

identity with_password(const identity& who, const std::string& password) {
    return {
        who.certificate,
        by_openssl(
            who.key, "openssl pkey -in $in -traditional -aes-128-cbc -passout pass:" + password)};
}

weft::tls_pin pin_of(const identity& who) {
    const std::string bytes = by_openssl(
        who.certificate, "openssl x509 -noout -pubkey -in $in | openssl pkey -pubin -outform DER"
                         " | openssl dgst -sha256 -binary");
    weft::tls_pin read{};
    REQUIRE(bytes.size() == read.size());
    std::memcpy(read.data(), bytes.data(), read.size());
    return read;
}

} // namespace tls_test
