import Wire

/// The items of a conversation in order, as the client sees them.
///
/// Bounded: the oldest are forgotten beyond `limit`; the model's own context is far shorter.
struct ItemList {
    private var items: [(id: String, item: ConversationItem)] = []
    private let limit: Int

    init(limit: Int = 1000) { self.limit = limit }

    /// The last item's name.
    var last: String? { items.last?.id }

    subscript(id: String) -> ConversationItem? {
        get { items.first { $0.id == id }?.item }
        set {
            guard let index = items.firstIndex(where: { $0.id == id }) else { return }
            if let newValue { items[index].item = newValue } else { items.remove(at: index) }
        }
    }

    /// Adds an item behind the one named (nil: at the end, "root": at the start). Returns the name of the item before
    /// it; nil when there is no such item.
    mutating func insert(_ item: ConversationItem, id: String, after: String?) -> String?? {
        let index: Int
        switch after {
        case nil: index = items.count
        case "root": index = 0
        case let name?:
            guard let found = items.firstIndex(where: { $0.id == name }) else { return nil }
            index = found + 1
        }
        items.insert((id, item), at: index)
        let previous: String? = index > 0 ? items[index - 1].id : nil
        if items.count > limit { items.removeFirst() }
        return .some(previous)
    }
}
