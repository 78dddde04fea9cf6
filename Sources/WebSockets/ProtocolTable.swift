import CWebSockets
import Glibc

/// The table of subprotocols that a context is made with; libwebsockets reads it, and the names in it, as long as the
/// context lives.
final class ProtocolTable: Sendable {
    /// How much is read from a socket at once.
    static let bufferBytes = 32 << 10
    /// How much is offered to the kernel at once.
    static let writeBytes = 256 << 10
    /// The entry that serves HTTP and those WebSockets that named no subprotocol. Its name can't be asked for: offers
    /// are compared with the configuration before libwebsockets sees them, and a token holds no blank.
    static let noneName = "no subprotocol"

    private let address: UInt
    private let count: Int

    init(subprotocols: [String]) {
        let names = [Self.noneName] + subprotocols
        count = names.count
        // One more: the table ends with an entry of zeroes.
        let table = UnsafeMutablePointer<lws_protocols>.allocate(capacity: count + 1)
        table.initialize(repeating: lws_protocols(), count: count + 1)
        for (index, name) in names.enumerated() {
            table[index].name = UnsafePointer(strdup(name))
            table[index].callback = serviceCallback
            table[index].rx_buffer_size = Self.bufferBytes
            table[index].tx_packet_size = Self.writeBytes
            // A wish for one byte makes libwebsockets keep the user space that some of its close paths ask for.
            table[index].per_session_data_size = 1
        }
        address = UInt(bitPattern: table)
    }

    var pointer: UnsafePointer<lws_protocols>? { UnsafePointer(bitPattern: address) }

    deinit {
        guard let table = UnsafeMutablePointer<lws_protocols>(bitPattern: address) else { return }
        for index in 0..<count { free(UnsafeMutablePointer(mutating: table[index].name)) }
        table.deallocate()
    }
}

/// Whether `name` can stand in Sec-WebSocket-Protocol: a token of RFC 9110.
func isToken(_ name: some StringProtocol) -> Bool {
    !name.isEmpty
        && name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
}
