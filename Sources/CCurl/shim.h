// libcurl's easy interface. Its setter is variadic, which Swift cannot import: one function for each kind of value.
#pragma once

#include <curl/curl.h>

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

/// Where curl writes what went wrong: CURL_ERROR_SIZE bytes that outlive the transfer.
static inline CURLcode ccurl_set_words(CURL *handle, char *words) {
    return curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, words);
}

/// Bytes of the body: returns how many were taken; fewer than `count` end the transfer.
typedef size_t (*ccurl_body)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode ccurl_set_body(CURL *handle, ccurl_body take, void *context) {
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
    return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take);
}

/// Called several times a second: anything but 0 ends the transfer.
typedef int (*ccurl_tick)(void *context, curl_off_t total, curl_off_t now, curl_off_t uploads, curl_off_t uploaded);

static inline CURLcode ccurl_set_tick(CURL *handle, ccurl_tick tick, void *context) {
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, context);
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, tick);
}

static inline CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

/// The value of a header of the last response, NULL when it has none; valid until the next call.
static inline const char *ccurl_header(CURL *handle, const char *name) {
    struct curl_header *header = NULL;
    return curl_easy_header(handle, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}
