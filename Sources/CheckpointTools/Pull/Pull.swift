import Checksums
public import Foundation
import HTTP

/// Fetches a model's files from a Hugging Face hub.
///
/// Each file comes under another name, goes on where it stopped when the connection is lost, and gets its own name when
/// its digest is the one that the hub tells. What is there already is checked, and not fetched again.
public struct Pull: Sendable {
    /// Where to fetch from.
    public struct Hub: Sendable {
        /// `https://huggingface.co`, or a mirror of it.
        public var endpoint: String
        /// For repositories that need one.
        public var token: String?

        /// The hub that the environment names by `HF_ENDPOINT` and `HF_TOKEN`, as Hugging Face's own programs do.
        public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
            func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
            var endpoint = value("HF_ENDPOINT") ?? "https://huggingface.co"
            while endpoint.hasSuffix("/") { endpoint.removeLast() }
            self.endpoint = endpoint
            token = value("HF_TOKEN")
        }
    }

    /// What a run did.
    public struct Summary: Sendable, Equatable {
        /// The commit that the files are of.
        public let commit: String
        public let files: Int
        /// Files that were there already, whole.
        public let kept: Int
        /// The size of all files.
        public let bytes: Int
    }

    private let hub: Hub
    private let repository: String
    private let revision: String
    private let target: URL
    /// How long to wait before the first new try; twice as long before the next.
    var pause: Duration = .seconds(1)

    /// - Parameters:
    ///   - repository: `OWNER/NAME`.
    ///   - revision: a branch, a tag or a commit.
    ///   - target: the folder to put the files in; it is made when it is missing.
    public init(_ repository: String, revision: String = "main", from hub: Hub, to target: URL) throws {
        let parts = repository.split(separator: "/", omittingEmptySubsequences: false)
        let allowed = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
        guard parts.count == 2,
            parts.allSatisfy({
                !$0.isEmpty && $0 != "." && $0 != ".." && $0.unicodeScalars.allSatisfy(allowed.contains)
            })
        else { throw PullError(repository, "is no repository; give OWNER/NAME, as fnlp/AnyGPT-chat") }
        (self.hub, self.repository, self.revision, self.target) = (hub, repository, revision, target)
    }

    /// What a run would fetch: path and size of each file.
    public func plan(_ tick: @escaping () throws -> Void = {}) throws -> (commit: String, files: [(String, Int)]) {
        let listing = try list(tick)
        return (listing.sha, listing.needed.map { ($0.rfilename, $0.byteCount) })
    }

    /// Fetches what is missing.
    ///
    /// - Parameter progress: is told often; what it throws ends the run, which can be taken up again later.
    public func run(_ progress: @escaping (FileProgress) throws -> Void) throws -> Summary {
        let listing = try list { try progress(FileProgress(file: repository, done: 0, total: 0)) }
        let files = listing.needed
        guard !files.isEmpty else { throw PullError(repository, "has no files that a daemon has a use for") }
        for file in files where !file.isSafe {
            throw PullError(repository, "names a file outside of its folder: \(file.rfilename.prefix(100))")
        }
        let total = files.reduce(0) { $0 + $1.byteCount }
        var (done, kept) = (0, 0)
        for file in files {
            let start = done
            let report = { (count: Int) in
                try progress(FileProgress(file: file.rfilename, done: start + count, total: total))
            }
            let download = FileDownload(
                file: file, url: url("\(repository)/resolve/\(listing.sha)/\(file.rfilename)"), token: hub.token,
                target: target.appending(path: file.rfilename), pause: pause)
            if try download.isComplete(report) { kept += 1 } else { try download.run(report) }
            done += file.byteCount
        }
        return Summary(commit: listing.sha, files: files.count, kept: kept, bytes: total)
    }

    private func url(_ path: String) -> String {
        let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: ";"))
        return hub.endpoint + "/" + (path.addingPercentEncoding(withAllowedCharacters: allowed) ?? path)
    }

    private func list(_ tick: @escaping () throws -> Void) throws -> HubListing {
        let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "/;"))
        let revision = revision.addingPercentEncoding(withAllowedCharacters: allowed) ?? revision
        let address = url("api/models/\(repository)/revision/") + revision + "?blobs=true"
        var body = Data()
        let retry = Retry(pause: pause)
        while true {
            do {
                body.removeAll()
                let answer = try HTTPTransfer(url: address, token: hub.token).run(
                    answered: { _ in true },
                    body: { bytes in
                        guard body.count + bytes.count <= 32 << 20 else {
                            throw PullError(address, "answers with more than a list of files")
                        }
                        body.append(contentsOf: bytes)
                    }, tick: tick)
                if answer.status == 429 || answer.status >= 500 {
                    throw HTTPTransfer.Failure(
                        reason: "the server answers with \(answer.status)", isTransient: true)
                }
                guard answer.status == 200 else { throw PullError(status: answer.status, address, hub.token != nil) }
                break
            } catch let failure as HTTPTransfer.Failure {
                try retry.wait(after: failure, address, tick)
            }
        }
        do {
            return try JSONDecoder().decode(HubListing.self, from: body)
        } catch {
            throw PullError(address, "does not answer as a Hugging Face hub does")
        }
    }
}

/// Waits between tries, longer each time, and gives up after a few that brought nothing.
final class Retry {
    private let pause: Duration
    private var tries = 0

    init(pause: Duration) { self.pause = pause }

    /// The last try brought something: the count begins anew.
    func succeeded() { tries = 0 }

    /// Waits, or throws when the failure is final.
    func wait(after failure: HTTPTransfer.Failure, _ address: String, _ tick: () throws -> Void) throws {
        tries += 1
        guard failure.isTransient, tries < 6 else { throw PullError(address, failure.reason.lowercasedFirst) }
        let clock = ContinuousClock()
        let end = clock.now + pause * (1 << (tries - 1))
        while clock.now < end {
            try tick()
            Thread.sleep(forTimeInterval: min(0.1, max(0.001, (end - clock.now) / .seconds(1))))
        }
    }
}

/// Why a model can't be pulled.
public struct PullError: Error, CustomStringConvertible, Equatable {
    /// The repository, URL or file that is at fault.
    public let subject: String
    /// The rest of a sentence that it begins.
    public let reason: String

    init(_ subject: String, _ reason: String) { (self.subject, self.reason) = (subject, reason) }

    init(status: Int, _ url: String, _ hasToken: Bool) {
        subject = url
        switch status {
        case 401, 403:
            reason =
                hasToken
                ? "may not be read with this HF_TOKEN (\(status)); accept the model's terms on its page, or use another token"
                : "may not be read without a token (\(status)); set HF_TOKEN"
        case 404: reason = "does not exist (404); check the repository's name and the revision"
        default: reason = "answers with \(status)"
        }
    }

    /// One line for a person.
    public var description: String { "\(subject) \(reason)" }
}

extension String {
    var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
