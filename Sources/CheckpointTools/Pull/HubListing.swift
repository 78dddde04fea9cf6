import Foundation
import UnCLIP

/// The files of a repository on a Hugging Face hub at one commit, as `GET /api/models/REPO/revision/REVISION?blobs=true`
/// lists them.
struct HubListing: Decodable {
    /// The commit that the revision stands for: what is pulled is of one commit, even if the branch moves meanwhile.
    let sha: String
    let siblings: [File]

    /// One file.
    struct File: Decodable, Equatable {
        /// Its path in the repository.
        let rfilename: String
        /// Its size in bytes.
        let size: Int?
        /// Git's name of its content: the SHA-1 of a header and the bytes. Large files have an `lfs` instead.
        let blobId: String?
        let lfs: LFS?

        struct LFS: Decodable, Equatable {
            let sha256: String
            let size: Int
        }

        var byteCount: Int { lfs?.size ?? size ?? 0 }

        /// Whether the path leads to a file below the folder that it is put in.
        var isSafe: Bool {
            let parts = rfilename.split(separator: "/", omittingEmptySubsequences: false)
            return !parts.isEmpty && !rfilename.contains("\0") && !rfilename.contains("\\")
                && parts.allSatisfy { !["", ".", ".."].contains($0) }
        }
    }

    /// The files that a daemon has a use for: configuration, tokenizer and weights, these as safetensors where the
    /// repository has both kinds, and of a pipeline the components that pictures are drawn with.
    var needed: [File] {
        let isPipeline = siblings.contains { $0.rfilename == UnCLIPFolder.index }
        let unused = isPipeline ? UnCLIPFolder.unused.map { $0 + "/" } : []
        let kept = siblings.filter { file in
            Self.isUseful(file.rfilename) && !unused.contains { file.rfilename.hasPrefix($0) }
        }
        let folders = Set(kept.filter { $0.rfilename.hasSuffix(".safetensors") }.map { Self.folder($0.rfilename) })
        return kept.filter { file in
            let isPickle = file.rfilename.hasSuffix(".bin") || file.rfilename.hasSuffix(".bin.index.json")
            return !isPickle || !folders.contains(Self.folder(file.rfilename))
        }
    }

    private static func folder(_ path: String) -> Substring {
        path.dropLast(path.split(separator: "/").last?.count ?? 0)
    }

    private static func isUseful(_ path: String) -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let endings = [".json", ".safetensors", ".bin", ".pt", ".dev", ".model", ".txt"]
        let isLicence = ["LICENSE", "LICENCE", "NOTICE"].contains { name.uppercased().hasPrefix($0) }
        // Weights in several precisions and for other purposes lie side by side in official folders.
        let isVariant = [".fp16.", ".non_ema.", "training_args", "optimizer", "scheduler.pt", "rng_state"]
            .contains { name.contains($0) }
        return isLicence || (endings.contains { name.hasSuffix($0) } && !isVariant && !path.hasPrefix("."))
    }
}
