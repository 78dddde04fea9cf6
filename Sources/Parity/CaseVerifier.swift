import Foundation

/// Runs the network that a golden case names and holds its numbers against the reference's.
public enum CaseVerifier {
    /// What runs a case of each kind.
    private static let runners: [String: @Sendable (Verification) throws -> Void] = [
        "torch-file": TorchFileKind.run,
        "llama-hf": LlamaKind.run,
        "sampling": SamplingKind.run,
        "speechtokenizer": SpeechTokenizerKind.run,
        "soundstorm": SoundStormKind.run,
        "chain": ChainKind.run,
        "encodec": EncodecKind.run,
        "unclip": UnCLIPKind.run,
        "seed-encode": SEEDEncodeKind.run,
        "seed-decode": SEEDDecodeKind.run,
    ]

    /// The kinds of cases that can be verified.
    public static var kinds: [String] { runners.keys.sorted() }

    /// Verifies a case. Computes for as long as it takes: not for the cooperative pool.
    ///
    /// - Parameter progress: is told what is being worked on.
    /// - Throws: when the folder is no case of a kind that can be verified, or a file of it is missing, corrupt or not
    ///   what the network needs. The error's description is one line.
    public static func verify(_ folder: URL, progress: @escaping (String) -> Void = { _ in }) throws -> CaseReport {
        let clock = ContinuousClock()
        let start = clock.now
        progress("opening")
        let golden = try GoldenCase(folder)
        guard let run = runners[golden.kind] else {
            throw CaseError(
                "verify", folder.path,
                "its kind is \(golden.kind), and no network for it is here yet; there are "
                    + kinds.joined(separator: ", "))
        }
        let verification = Verification(golden, progress: progress)
        try run(verification)
        verification.finish()
        let seconds = (clock.now - start) / .seconds(1)
        return CaseReport(folder: folder.path, kind: golden.kind, rows: verification.rows, seconds: seconds)
    }
}
