import ArgumentParser
import Foundation
import Server

/// Where a daemon is to be found: at a URL, or where its configuration says.
struct DaemonAddress: ParsableArguments {
    /// What is asked for there.
    enum Door {
        /// A conversation.
        case realtime
        /// How it is.
        case health
    }

    /// A URL, and whom to trust there.
    struct Endpoint {
        let url: String
        /// A file of certificates in PEM that are trusted beside the system's.
        let trust: String?
    }

    @Option(
        help: ArgumentHelp(
            "Where the daemon listens (default: 127.0.0.1, port 8787). wss: and https: speak TLS.", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("Where the daemon of this configuration listens.", valueName: "config.toml"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "Certificates in PEM that are trusted beside the system's (default: the one in --config).",
            valueName: "file"))
    var cacert: String?

    /// Where to knock.
    func endpoint(_ door: Door) throws -> Endpoint {
        if let cacert, !FileManager.default.isReadableFile(atPath: cacert) {
            throw Refusal("the certificates \(cacert) cannot be read")
        }
        switch (url, config) {
        case (let url?, nil): return Endpoint(url: url, trust: cacert)
        case (nil, nil): return Endpoint(url: Self.url(door, "127.0.0.1", 8787, isTLS: false), trust: cacert)
        case (_?, _?): throw Refusal("--url and --config cannot be combined")
        case (nil, let config?):
            let server: Configuration.Server
            do { server = try Configuration.load(path: config).server } catch { throw Refusal("\(error)") }
            guard server.port > 0 else {
                throw Refusal(
                    "\(config) leaves the port to the system: give --url, with the port from the daemon's log")
            }
            let own = server.certificate.isEmpty ? nil : server.certificate
            return Endpoint(
                url: Self.url(door, server.reachableHost, server.port, isTLS: own != nil), trust: cacert ?? own)
        }
    }

    private static func url(_ door: Door, _ host: String, _ port: Int, isTLS: Bool) -> String {
        let s = isTLS ? "s" : ""
        return switch door {
        case .realtime: "ws\(s)://\(host):\(port)/v1/realtime"
        case .health: "http\(s)://\(host):\(port)"
        }
    }
}
