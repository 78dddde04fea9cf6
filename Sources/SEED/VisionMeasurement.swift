import Images
import Tensors

/// A vision transformer as it is measured: the same picture's way through it, again and again.
public struct VisionMeasurement {
    private let vision: VisionTransformer
    private let image: RGBImage

    /// A picture of noise; which picture it is makes no difference to the time.
    public init(_ vision: VisionTransformer) {
        self.vision = vision
        var generator = SystemRandomNumberGenerator()
        image = RGBImage(
            width: vision.side, height: vision.side,
            bytes: (0..<vision.side * vision.side * 3).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            })
    }

    /// Bytes of memory beside the weights.
    public var bytes: Int {
        let memory = vision.makeMemory()
        return 4
            * (memory.stream.count + memory.normed.count + memory.wide.count + memory.gathered.count)
    }

    /// Takes the picture through once; returns the longest piece, which nothing can interrupt.
    public func callAsFunction() -> Duration {
        let (pieces, memory, image) = (Pieces(), vision.makeMemory(), image)
        pieces.keep(memory)
        vision.add(to: pieces, { image }, memory, nil)
        var longest = Duration.zero
        var isDone = false
        while !isDone {
            let start = ContinuousClock.now
            isDone = !pieces.step()
            longest = max(longest, ContinuousClock.now - start)
        }
        return longest
    }
}
