// libcrypto (OpenSSL): digests. libwebsockets brings it along.
#pragma once

#include <openssl/evp.h>
