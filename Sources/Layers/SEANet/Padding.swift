import Tensors

/// x with rows added at its ends.
///
/// Mirrored ends leave the end itself out. A sequence that is too short to be mirrored gets zeros on its right first,
/// which are cut away again from the result: what the reference's `pad1d` does.
func padded(_ x: Tensor, left: Int, right: Int, _ padding: ConvolutionStyle.Padding) -> Tensor {
    let (length, channels) = (x.rows, x.rowCount)
    precondition(length > 0 || left + right == 0)
    let extended = max(length, max(left, right) + 1)
    return Tensor(generating: [left + length + right, channels]) { target in
        x.read { source in
            (target + left * channels).update(from: source, count: length * channels)
            for row in [0..<left, left + length..<left + length + right].joined() {
                let from: Int? =
                    switch padding {
                    case .zeros: nil
                    case .replicate: row < left ? 0 : length - 1
                    case .reflect: mirrored(row - left, extended)
                    }
                let place = target + row * channels
                if let from, from < length {
                    place.update(from: source + from * channels, count: channels)
                } else {
                    place.update(repeating: 0, count: channels)
                }
            }
        }
    }
}

/// The place in a sequence of `length` that a place beyond its ends mirrors.
private func mirrored(_ place: Int, _ length: Int) -> Int {
    let inside = abs(place)
    return inside < length ? inside : 2 * (length - 1) - inside
}
