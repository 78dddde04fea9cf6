/// Which reply stands where in what is played, so that an interruption can say how much of it was heard. A pure value.
struct HeardReplies {
    private struct Reply {
        let item: String
        let start: Int
        var end: Int
    }

    /// Replies that may not have been heard to their end, in order.
    private var replies: [Reply] = []

    /// Samples of an item's sound were put in at a place.
    mutating func played(item: String, at place: Int, count: Int) {
        if let last = replies.last, last.item == item {
            replies[replies.count - 1].end = place + count
        } else {
            replies.append(Reply(item: item, start: place, end: place + count))
        }
    }

    /// The sound was heard up to a place, and nothing after it will be: the items of which something is missing, with how
    /// many samples of each were heard.
    mutating func stop(at heard: Int) -> [(item: String, samples: Int)] {
        defer { replies = [] }
        return replies.filter { $0.end > heard }.map { ($0.item, max(0, heard - $0.start)) }
    }

    /// Forgets what was heard to its end.
    mutating func forget(upTo heard: Int) {
        replies.removeAll { $0.end <= heard }
    }
}
