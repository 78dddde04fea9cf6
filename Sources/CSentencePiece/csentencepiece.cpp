#include "csentencepiece.h"

#include <sentencepiece_processor.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string_view>
#include <vector>

struct csp_processor {
    sentencepiece::SentencePieceProcessor processor;
};

namespace {

void explain(std::string_view what, char *reason, size_t reason_size) {
    if (reason_size == 0) return;
    const size_t length = what.size() < reason_size - 1 ? what.size() : reason_size - 1;
    std::memcpy(reason, what.data(), length);
    reason[length] = 0;
}

}  // namespace

extern "C" csp_processor *csp_load(const void *model, size_t size, char *reason, size_t reason_size) {
    try {
        auto loaded = std::make_unique<csp_processor>();
        const auto status =
            loaded->processor.LoadFromSerializedProto(std::string_view(static_cast<const char *>(model), size));
        if (status.ok()) return loaded.release();
        explain(status.message(), reason, reason_size);
    } catch (const std::exception &error) {
        explain(error.what(), reason, reason_size);
    } catch (...) {
        explain("unknown C++ exception", reason, reason_size);
    }
    return nullptr;
}

extern "C" void csp_free(csp_processor *processor) { delete processor; }

extern "C" size_t csp_piece_count(const csp_processor *processor) {
    return static_cast<size_t>(processor->processor.GetPieceSize());
}

extern "C" ptrdiff_t csp_encode(const csp_processor *processor, const char *text, size_t size, int32_t **ids,
                                char *reason, size_t reason_size) {
    *ids = nullptr;
    try {
        std::vector<int> found;
        const auto status = processor->processor.Encode(std::string_view(text, size), &found);
        if (!status.ok()) {
            explain(status.message(), reason, reason_size);
            return -1;
        }
        if (found.empty()) return 0;
        auto *copy = static_cast<int32_t *>(std::malloc(found.size() * sizeof(int32_t)));
        if (copy == nullptr) {
            explain("out of memory", reason, reason_size);
            return -1;
        }
        std::memcpy(copy, found.data(), found.size() * sizeof(int32_t));
        *ids = copy;
        return static_cast<ptrdiff_t>(found.size());
    } catch (const std::exception &error) {
        explain(error.what(), reason, reason_size);
    } catch (...) {
        explain("unknown C++ exception", reason, reason_size);
    }
    return -1;
}

extern "C" void csp_free_ids(int32_t *ids) { std::free(ids); }
