/// Which web pages may open WebSockets. A browser sends along where the page comes from; other programs send nothing,
/// and are not kept out by it. Without this rule every page that somebody looks at could talk to a server on the same
/// machine.
struct OriginRule: Sendable {
    private let allowed: Set<String>

    init(allowed origins: [String]) {
        allowed = Set(origins.map { $0.lowercased() })
    }

    /// Why the page that a request comes from may not open a WebSocket; nil where it may: the server's own page (the
    /// origin's host and port are those that the request was sent to), a page that is allowed, or no page at all.
    ///
    /// Over plain HTTP a page of the same name need not be the server's own: whoever owns a name can serve a page from it
    /// and then point it at 127.0.0.1 (DNS rebinding). With TLS the certificate would be another one.
    func refusal(origin: String?, host: String) -> WebSocketRemark.Kind? {
        guard let origin = origin?.lowercased(), !allowed.contains(origin) else { return nil }
        let scheme = Self.scheme(origin)
        guard let authority = Self.authority(origin),
            authority == Self.withoutDefaultPort(host.lowercased(), scheme: scheme)
        else { return .foreignOrigin(origin: origin, host: host) }
        return scheme == "https" || Self.isNobodysName(authority) ? nil : .anybodysName(origin: origin)
    }

    /// Whether a host is an address, or has a name that no stranger can own: one of a single word, or below a domain that
    /// is kept for the machine or its network (RFC 6761, RFC 6762 with its appendix G, RFC 8375).
    private static func isNobodysName(_ authority: String) -> Bool {
        if authority.hasPrefix("[") { return true }
        var host = authority.prefix { $0 != ":" }
        if host.hasSuffix(".") { host.removeLast() }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        // Where the last label is a number, the whole is an IPv4 address and no name.
        guard labels.count > 1, let last = labels.last, !last.allSatisfy(\.isNumber) else { return true }
        return privateDomains.contains(String(last)) || host.hasSuffix(".home.arpa")
    }

    /// What is wrong with an entry of the list; nil when nothing is.
    static func problem(with origin: String) -> String? {
        guard authority(origin.lowercased()) != nil else {
            return "\"\(origin)\" is not an origin such as https://voice.example.org or http://192.0.2.1:8080,"
                + " without a path"
        }
        return nil
    }

    /// The host and, unless it is the scheme's own, the port.
    private static func authority(_ origin: String) -> String? {
        guard let scheme = scheme(origin) else { return nil }
        let rest = origin.dropFirst(scheme.count + 3)
        guard !rest.isEmpty, !rest.contains(where: { "/?#@ ".contains($0) }) else { return nil }
        return withoutDefaultPort(String(rest), scheme: scheme)
    }

    private static let privateDomains: Set = [
        "localhost", "test", "local", "intranet", "internal", "private", "corp", "home", "lan",
    ]

    private static func scheme(_ origin: String) -> String? {
        ["http", "https"].first { origin.hasPrefix($0 + "://") }
    }

    private static func withoutDefaultPort(_ authority: String, scheme: String?) -> String {
        let port = scheme == "https" ? ":443" : ":80"
        return authority.hasSuffix(port) ? String(authority.dropLast(port.count)) : authority
    }
}
