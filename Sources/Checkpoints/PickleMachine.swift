/// Reads a pickle as data. It knows the opcodes of protocols 2 to 5 that torch writes; it can call nothing: what a pickle
/// asks to call is written down (`PickleObject.call`), and only for the few names in `PickleGlobal`.
/// Opcodes: CPython's `Lib/pickletools.py`.
struct PickleMachine {
    private var reader: ByteReader
    private let start: Int
    private var stack: [PickleValue] = []
    /// The heights of the stack at the open marks.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    private var objects: [PickleObject] = []
    /// The bytes that objects and memo take, roughly; neither ever shrinks.
    private var kept = 0

    private init(_ bytes: [UInt8], at position: Int) {
        reader = ByteReader(bytes, at: position)
        start = position
    }

    /// Reads the pickle that begins at `position` and moves `position` to its end.
    static func read(_ bytes: [UInt8], at position: inout Int) throws(FormatFault) -> PickleTree {
        var machine = PickleMachine(bytes, at: position)
        let root = try machine.run()
        position = machine.reader.position
        return PickleTree(root: root, objects: machine.objects, byteCount: position - machine.start)
    }

    private mutating func run() throws(FormatFault) -> PickleValue {
        while true {
            let opcode = try reader.byte()
            if opcode == UInt8(ascii: ".") { return try pop() }
            if try scalar(opcode) { continue }
            if try container(opcode) { continue }
            if try reference(opcode) { continue }
            let place = reader.position - 1 - start
            throw FormatFault(
                "holds pickle opcode 0x\(String(opcode, radix: 16)) at byte \(place), which checkpoints do not use")
        }
    }

    // MARK: The stack, and what it may hold

    private mutating func push(_ value: PickleValue) throws(FormatFault) {
        stack.append(value)
        try checkSize()
    }

    private mutating func pop() throws(FormatFault) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
            throw FormatFault("holds a pickle that takes more than it has put")
        }
        return value
    }

    /// Everything above the last mark, which is taken away.
    private mutating func popToMark() throws(FormatFault) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw FormatFault("holds a pickle that lacks a mark") }
        let values = [PickleValue](stack[mark...])
        stack.removeSubrange(mark...)
        return values
    }

    private mutating func pop(_ count: Int) throws(FormatFault) -> [PickleValue] {
        guard stack.count - (marks.last ?? 0) >= count else {
            throw FormatFault("holds a pickle that takes more than it has put")
        }
        let values = [PickleValue](stack.suffix(count))
        stack.removeLast(count)
        return values
    }

    private mutating func keep(_ object: PickleObject, elements: Int) throws(FormatFault) {
        try charge(64 + elements * MemoryLayout<PickleValue>.stride)
        objects.append(object)
        try push(.object(objects.count - 1))
    }

    private mutating func charge(_ bytes: Int) throws(FormatFault) {
        kept += bytes
        try checkSize()
    }

    private func checkSize() throws(FormatFault) {
        let used = kept + stack.count * MemoryLayout<PickleValue>.stride + marks.count * 8
        guard used <= Limits.slack + (reader.position - start) * Limits.pickleGrowth else {
            throw FormatFault("holds a pickle that would take far more memory than its length accounts for")
        }
    }

    // MARK: Opcodes

    /// Numbers, text and the like: push one value.
    private mutating func scalar(_ opcode: UInt8) throws(FormatFault) -> Bool {
        switch opcode {
        case UInt8(ascii: "N"): try push(.none)
        case 0x88: try push(.bool(true))
        case 0x89: try push(.bool(false))
        case UInt8(ascii: "K"): try push(.integer(Int(try reader.byte())))
        case UInt8(ascii: "M"): try push(.integer(Int(try reader.little(UInt16.self))))
        case UInt8(ascii: "J"): try push(.integer(Int(try reader.little(Int32.self))))
        case 0x8A: try push(Self.integer(try reader.take(Int(try reader.byte()))))
        case 0x8B: try push(Self.integer(try reader.take(Int(try reader.little(Int32.self)))))
        case UInt8(ascii: "G"):
            try push(.real(Double(bitPattern: (try reader.little(UInt64.self)).byteSwapped)))
        case 0x8C: try push(.text(.checked(try reader.take(Int(try reader.byte())))))
        case UInt8(ascii: "X"): try push(.text(.checked(try reader.take(try reader.size(UInt32.self)))))
        case 0x8D: try push(.text(.checked(try reader.take(try reader.size(UInt64.self)))))
        case UInt8(ascii: "U"): try push(Self.oldText(try reader.take(Int(try reader.byte()))))
        case UInt8(ascii: "T"): try push(Self.oldText(try reader.take(Int(try reader.little(Int32.self)))))
        case UInt8(ascii: "C"): try push(.bytes([UInt8](try reader.take(Int(try reader.byte())))))
        case UInt8(ascii: "B"): try push(.bytes([UInt8](try reader.take(try reader.size(UInt32.self)))))
        case 0x8E, 0x96: try push(.bytes([UInt8](try reader.take(try reader.size(UInt64.self)))))
        default: return false
        }
        return true
    }

    /// Lists, tuples, dictionaries and sets.
    private mutating func container(_ opcode: UInt8) throws(FormatFault) -> Bool {
        switch opcode {
        case UInt8(ascii: "("):
            marks.append(stack.count)
            try checkSize()
        case UInt8(ascii: "]"), 0x8F: try keep(.list([]), elements: 0)
        case UInt8(ascii: "}"): try keep(.dictionary([]), elements: 0)
        case UInt8(ascii: ")"): try keep(.tuple([]), elements: 0)
        case 0x85, 0x86, 0x87: try keepTuple(try pop(Int(opcode - 0x84)))
        case UInt8(ascii: "t"): try keepTuple(try popToMark())
        case UInt8(ascii: "l"), 0x91:
            let items = try popToMark()
            try keep(.list(items), elements: items.count)
        case UInt8(ascii: "d"):
            let items = try popToMark()
            try keep(.dictionary([]), elements: 0)
            try extend(with: items, isDictionary: true)
        case UInt8(ascii: "a"): try extend(with: try pop(1), isDictionary: false)
        case UInt8(ascii: "e"), 0x90: try extend(with: try popToMark(), isDictionary: false)
        case UInt8(ascii: "s"): try extend(with: try pop(2), isDictionary: true)
        case UInt8(ascii: "u"): try extend(with: try popToMark(), isDictionary: true)
        default: return false
        }
        return true
    }

    private mutating func keepTuple(_ items: [PickleValue]) throws(FormatFault) {
        try keep(.tuple(items), elements: items.count)
    }

    /// Adds to the list or dictionary on the top of the stack.
    private mutating func extend(with new: [PickleValue], isDictionary: Bool) throws(FormatFault) {
        guard stack.count > marks.last ?? 0, case .object(let index)? = stack.last else {
            throw FormatFault("holds a pickle that adds to something that is no container")
        }
        try charge(new.count * MemoryLayout<PickleValue>.stride)
        // The table lets go of the array while it grows: a shared one would be copied for each element.
        switch objects[index] {
        case .list(var items) where !isDictionary:
            objects[index] = .list([])
            items.append(contentsOf: new)
            objects[index] = .list(items)
        case .dictionary(var items) where isDictionary && new.count.isMultiple(of: 2):
            objects[index] = .dictionary([])
            items.append(contentsOf: new)
            objects[index] = .dictionary(items)
        default:
            throw FormatFault("holds a pickle that adds to something that is no container")
        }
    }

    /// The memo, names, and what Python would have called.
    private mutating func reference(_ opcode: UInt8) throws(FormatFault) -> Bool {
        switch opcode {
        case 0x80:
            let version = try reader.byte()
            guard version <= 5 else { throw FormatFault("holds a pickle of protocol \(version)") }
        case 0x95: _ = try reader.take(8)
        case UInt8(ascii: "0"):
            if let mark = marks.last, mark == stack.count { marks.removeLast() } else { _ = try pop() }
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "2"):
            let value = try pop()
            try push(value)
            try push(value)
        case UInt8(ascii: "q"): try remember(as: Int(try reader.byte()))
        case UInt8(ascii: "r"): try remember(as: try reader.size(UInt32.self))
        case 0x94: try remember(as: memo.count)
        case UInt8(ascii: "h"): try recall(Int(try reader.byte()))
        case UInt8(ascii: "j"): try recall(try reader.size(UInt32.self))
        case UInt8(ascii: "c"):
            let module = try String.checked(try reader.line())
            try push(.global(.named(module, .checked(try reader.line()))))
        case 0x93:
            guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
                throw FormatFault("holds a pickle with a name that is no text")
            }
            try push(.global(.named(module, name)))
        case UInt8(ascii: "R"): try noteCall()
        case UInt8(ascii: "b"): try build()
        case UInt8(ascii: "Q"):
            let identity = try pop()
            try keep(.persistent(identity), elements: 0)
        default: return false
        }
        return true
    }

    private mutating func remember(as index: Int) throws(FormatFault) {
        guard stack.count > marks.last ?? 0, let value = stack.last else {
            throw FormatFault("holds a pickle that remembers nothing")
        }
        if memo.updateValue(value, forKey: index) == nil { try charge(48) }
    }

    private mutating func recall(_ index: Int) throws(FormatFault) {
        guard let value = memo[index] else { throw FormatFault("holds a pickle that recalls what it never met") }
        try push(value)
    }

    private mutating func noteCall() throws(FormatFault) {
        let arguments = try pop()
        guard case .global(let global) = try pop(), case .object(let index) = arguments,
            case .tuple(let items) = objects[index]
        else { throw FormatFault("holds a pickle that calls something that is no function") }
        switch global {
        case .dictionary, .list:
            // A copy of the argument, as Python makes one.
            var copied: [PickleValue] = []
            if let first = items.first {
                guard items.count == 1, case .object(let source) = first else {
                    throw FormatFault("holds a container made of something else")
                }
                switch (objects[source], global) {
                case (.list(let elements), .list), (.tuple(let elements), .list): copied = elements
                case (.dictionary(let entries), .dictionary): copied = entries
                case (.list(let pairs), .dictionary): copied = try flattened(pairs)
                default: throw FormatFault("holds a container made of something else")
                }
            }
            try charge(copied.count * MemoryLayout<PickleValue>.stride)
            try keep(global == .list ? .list(copied) : .dictionary(copied), elements: 0)
        case .tensorClass, .storage, .untypedStorage, .dtype:
            throw FormatFault("holds a pickle that makes objects of a class that checkpoints only name")
        default:
            try keep(.call(global, items), elements: 0)
        }
    }

    /// Python 2 wrote ordered dictionaries as a list of pairs.
    private func flattened(_ pairs: [PickleValue]) throws(FormatFault) -> [PickleValue] {
        var flat: [PickleValue] = []
        for pair in pairs {
            guard case .object(let index) = pair else { throw FormatFault("holds a dictionary made of no pairs") }
            switch objects[index] {
            case .list(let items) where items.count == 2, .tuple(let items) where items.count == 2: flat += items
            default: throw FormatFault("holds a dictionary made of no pairs")
            }
        }
        return flat
    }

    /// Attributes: state dicts carry `_metadata` this way. They say nothing about tensors and are passed over.
    private mutating func build() throws(FormatFault) {
        _ = try pop()
        guard stack.count > marks.last ?? 0, case .object(let index)? = stack.last,
            case .dictionary = objects[index]
        else { throw FormatFault("holds a pickle that sets attributes of something other than a dictionary") }
    }

    // MARK: Values

    /// A two's-complement little-endian integer of any length.
    private static func integer(_ bytes: ArraySlice<UInt8>) -> PickleValue {
        guard bytes.count <= 8 else { return .wideInteger([UInt8](bytes)) }
        var value: UInt64 = 0
        for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
        let unused = 64 - 8 * bytes.count
        return .integer(bytes.isEmpty ? 0 : Int(Int64(bitPattern: value << unused) >> unused))
    }

    /// Python 2 strings have no stated encoding.
    private static func oldText(_ bytes: ArraySlice<UInt8>) -> PickleValue {
        if let text = String(validating: bytes, as: UTF8.self) { return .text(text) }
        return .text(String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })))
    }
}
