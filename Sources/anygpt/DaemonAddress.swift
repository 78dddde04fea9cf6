import ArgumentParser
import Server

/// Where a daemon is to be found: at a URL, or where its configuration says.
struct DaemonAddress: ParsableArguments {
    @Option(help: ArgumentHelp("Where the daemon listens (default: 127.0.0.1, port 8787).", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("Where the daemon of this configuration listens.", valueName: "config.toml"))
    var config: String?

    /// The URL with this scheme and path, where none was given.
    func url(scheme: String, path: String = "") throws -> String {
        switch (url, config) {
        case (let url?, nil): return url
        case (nil, nil): return "\(scheme)://127.0.0.1:8787\(path)"
        case (_?, _?): throw Refusal("--url and --config cannot be combined")
        case (nil, let config?):
            let server: Configuration.Server
            do { server = try Configuration.load(path: config).server } catch { throw Refusal("\(error)") }
            guard server.port > 0 else {
                throw Refusal(
                    "\(config) leaves the port to the system: give --url, with the port from the daemon's log")
            }
            return "\(scheme)://\(server.reachableHost):\(server.port)\(path)"
        }
    }
}
