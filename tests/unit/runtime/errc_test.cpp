// Error numbers: Linux's, and glibc's EAI_* for names, on every target.
#include "fixture.hpp"

#include <string>

using namespace test;

TEST_CASE("errors have their numbers, names and words") {
    struct row {
        errc error;
        int number;
        const char* name;
        const char* message;
    };
    const row table[] = {
        {errc::ok, 0, "OK", "no error"},
        {errc::would_block, 11, "EAGAIN", "would block"},
        {errc::connection_reset, 104, "ECONNRESET", "connection reset by peer"},
        {errc::canceled, 125, "ECANCELED", "canceled"},
        {errc::name_bad_flags, -1, "EAI_BADFLAGS", "invalid flags for a name"},
        {errc::name_not_found, -2, "EAI_NONAME", "name not found"},
        {errc::name_try_again, -3, "EAI_AGAIN", "temporary failure in name resolution"},
        {errc::name_failed, -4, "EAI_FAIL", "failure in name resolution"},
        {errc::name_no_address, -5, "EAI_NODATA", "no address of this family for the name"},
        {errc::name_family_not_supported, -6, "EAI_FAMILY",
         "address family not supported for names"},
        {errc::name_socket_type_not_supported, -7, "EAI_SOCKTYPE", "socket type not supported"},
        {errc::name_service_not_supported, -8, "EAI_SERVICE",
         "service not supported for the socket type"},
        {errc::name_no_memory, -10, "EAI_MEMORY", "out of memory in name resolution"},
        {static_cast<errc>(-9), -9, "E?", "unknown error"},
        {static_cast<errc>(4711), 4711, "E?", "unknown error"},
    };
    for (const row& each : table) {
        CAPTURE(each.number);
        CHECK(static_cast<int>(each.error) == each.number);
        CHECK(std::string(weft::name(each.error)) == each.name);
        CHECK(std::string(weft::message(each.error)) == each.message);
    }
}
