// Certificates for tests, made by openssl when they are first asked for, and gone with the process.
#pragma once

#include <weft/tls.hpp>

#include <string>

namespace tls_test {

/// A certificate and its key, PEM.
struct identity {
    std::string certificate;
    std::string key;
};

struct certificates {
    std::string directory; // with all of them as NAME.pem and NAME.key
    std::string authority; // who signed the next three, rsa, other and many
    identity server;       // DNS:weft.test
    identity client;       // DNS:client.weft.test
    identity expired;      // DNS:weft.test, until yesterday
    std::string stranger;  // another authority, of the same name
    identity strange;      // DNS:weft.test
    identity rsa;          // DNS:weft.test, 2,048 bits
    identity chain;        // DNS:weft.test, by an intermediate that is shown with it
    identity leaf;         // the same without that
    identity itself;       // DNS:weft.test, signed by itself
    identity other;        // DNS:other.test
    identity many;         // DNS:*.wild.test, 192.0.2.7, 2001:db8::7, and 192.0.2.8 as a name
};

const certificates& made();

/// The same with its key encrypted, as PEM files were before PKCS #8.
identity with_password(const identity& who, const std::string& password);

/// SHA-256 of the public key in the first certificate: by openssl.
weft::tls_pin pin_of(const identity& who);

} // namespace tls_test
