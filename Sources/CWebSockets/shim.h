#pragma once

// With OpenSSL, which it is built with and whose headers it brings along.
#include <libwebsockets.h>
#include <pthread.h>
#include <stddef.h>

// libwebsockets writes a frame's header in front of the payload it is given: the room it needs there. LWS_PRE is an
// expression macro, which Swift doesn't import.
static inline size_t cws_header_room(void) { return LWS_PRE; }

// Names the calling thread (at most 15 bytes). glibc declares the function only under _GNU_SOURCE, which Swift's
// importer doesn't define.
static inline void cws_name_this_thread(const char *name) {
    extern int pthread_setname_np(pthread_t, const char *);
    pthread_setname_np(pthread_self(), name);
}

// The key of the connection's entry in our table: an integer that travels as libwebsockets' opaque pointer. 0: none.
static inline size_t cws_key(const struct lws *wsi) {
    return (size_t)lws_get_opaque_user_data(wsi);
}

static inline void cws_set_key(struct lws *wsi, size_t key) {
    lws_set_opaque_user_data(wsi, (void *)key);
}

// A context's options for TLS, one of which is an expression macro. Plain HTTP is let in so far that it can be told what
// is wrong.
static inline uint64_t cws_tls_options(void) {
    return LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT |
           LWS_SERVER_OPTION_ALLOW_HTTP_ON_HTTPS_LISTENER;
}

// A client's, and its connection's.
static inline uint64_t cws_client_tls_options(void) { return LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT; }
static inline int cws_client_tls_flags(void) { return LCCSCF_USE_SSL; }

// Closes the connection at once, without a close frame; must not be called from a callback of that connection.
static inline void cws_close_now(struct lws *wsi) {
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

// Closes the connection on the service thread's next round; may be called from any callback on that thread.
static inline void cws_close_soon(struct lws *wsi) {
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

// Takes over a listening socket. It is watched as a plain descriptor, so that accepting, and no longer accepting, is
// our decision; `protocol` names the entry of the protocol table whose callback hears about it.
static inline struct lws *cws_watch(struct lws_vhost *vhost, int fd, const char *protocol) {
    lws_sock_file_fd_type descriptor;
    descriptor.filefd = fd;
    return lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, descriptor, protocol, NULL);
}
