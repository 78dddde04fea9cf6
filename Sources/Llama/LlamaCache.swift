import Tensors

/// The keys and values of the tokens that a model has read: what a conversation is to a backbone.
///
/// A value: a copy is a fork, which shares the pages until one of the two writes. `rollback(to:)` is what barge-in, a
/// revised tail and a speculative start are made of; a rolled-back cache continues exactly as a fresh one would.
///
/// Memory: pages of 64 positions, fp32, allocated as they are reached and never moved: for each position
/// 8 · layers · key-value heads · head size bytes (12 KiB for the small default model, 1 MiB for LLaMA-2 7B).
///
/// Invariant (of the unchecked conformance): `addresses` are those of `pages`, which this value keeps alive; a page is
/// written only when this value alone holds it.
public struct LlamaCache: @unchecked Sendable {
    /// Tokens that have been read.
    public private(set) var length = 0
    /// The most tokens that fit.
    public let capacity: Int
    private var pages: [Page] = []
    private var addresses: [UnsafeMutablePointer<Float>] = []
    /// How a page is laid out.
    let layout: PageLayout

    /// An empty cache for models of this configuration; `capacity` is cut to `max_position_embeddings`.
    public init(_ configuration: LlamaConfiguration, capacity: Int = .max) {
        self.capacity = max(0, min(capacity, configuration.max_position_embeddings))
        layout = PageLayout(configuration)
    }

    /// Bytes that the cache keeps; pages that a fork shares count for both.
    public var memoryInUse: Int { pages.count * layout.count * 4 }

    /// Forgets all tokens from position `length` on.
    public mutating func rollback(to length: Int) {
        precondition((0...self.length).contains(length), "a cache of \(self.length) cannot go to \(length)")
        self.length = length
        let kept = layout.pages(for: length)
        pages.removeLast(pages.count - kept)
        addresses.removeLast(addresses.count - kept)
    }

    /// Forgets everything.
    public mutating func reset() { rollback(to: 0) }

    /// Makes room to write `count` more positions, without changing `length`.
    mutating func reserve(_ count: Int) throws(LlamaError) {
        guard count <= capacity - length else {
            throw .contextExceeded(wanted: length + count, capacity: capacity)
        }
        if let last = pages.indices.last, length % PageLayout.positions != 0,
            !isKnownUniquelyReferenced(&pages[last])
        {
            pages[last] = Page(copying: pages[last])
            addresses[last] = pages[last].floats.pointer
        }
        while pages.count < layout.pages(for: length + count) {
            pages.append(Page(layout.count))
            addresses.append(pages[pages.count - 1].floats.pointer)
        }
    }

    /// Counts the positions that have been written.
    mutating func append(_ count: Int) { length += count }

    /// The pages' memory, valid inside `body`; only positions from `length` on, which `reserve` made room for, may be
    /// written.
    func withPages<R>(_ body: (UnsafeBufferPointer<UnsafeMutablePointer<Float>>) -> R) -> R {
        withExtendedLifetime(pages) { addresses.withUnsafeBufferPointer(body) }
    }
}

/// The memory of 64 positions of all layers.
private final class Page: Sendable {
    let floats: FloatBuffer

    init(_ count: Int) { floats = FloatBuffer(zeros: count) }

    init(copying other: Page) {
        floats = FloatBuffer(zeros: other.floats.count)
        floats.pointer.update(from: other.floats.pointer, count: other.floats.count)
    }
}

/// Where keys and values lie in a page: for each layer the keys of each head, `[head size, positions]`, and then the
/// values of each head, `[positions, head size]`; so both products of attention read along rows.
struct PageLayout: Sendable, Equatable {
    /// Positions in a page.
    static let positions = 64
    let layers: Int
    let heads: Int
    let headSize: Int

    init(_ configuration: LlamaConfiguration) {
        layers = configuration.num_hidden_layers
        heads = configuration.num_key_value_heads
        headSize = configuration.headSize
    }

    /// Floats of a head's keys, or values.
    var headCount: Int { headSize * Self.positions }
    /// Floats of a page.
    var count: Int { layers * 2 * heads * headCount }

    func pages(for length: Int) -> Int { (length + Self.positions - 1) / Self.positions }

    func keys(layer: Int, head: Int) -> Int { (layer * 2 * heads + head) * headCount }
    func values(layer: Int, head: Int) -> Int { ((layer * 2 + 1) * heads + head) * headCount }

    /// Writes the keys and values of one position: k, v `[heads, head size]`.
    func write(
        _ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>, to page: UnsafeMutablePointer<Float>, layer: Int,
        position: Int
    ) {
        let slot = position % Self.positions
        for head in 0..<heads {
            let keys = page + keys(layer: layer, head: head) + slot
            for i in 0..<headSize { keys[i * Self.positions] = k[head * headSize + i] }
            let values = page + values(layer: layer, head: head) + slot * headSize
            values.update(from: v + head * headSize, count: headSize)
        }
    }
}
