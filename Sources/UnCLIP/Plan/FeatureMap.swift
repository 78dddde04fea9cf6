/// Features of pictures in a plan's memory: `[images, height, width, channels]`, so that a pixel's channels lie together
/// and a picture is the sequence of tokens that attention reads.
struct FeatureMap: Sendable, Equatable {
    /// Floats before it in the plan's memory.
    let start: Int
    let images: Int
    let height: Int
    let width: Int
    let channels: Int

    /// Pixels of one picture.
    var pixels: Int { height * width }
    /// Floats of one picture.
    var plane: Int { pixels * channels }
    /// Floats of all.
    var count: Int { images * plane }

    /// Floats before a picture's pixel, counted row by row.
    func offset(_ image: Int, _ pixel: Int) -> Int { start + image * plane + pixel * channels }
}

/// The memory of a plan that runs.
struct PlanMemory {
    let base: UnsafeMutablePointer<Float>

    func at(_ map: FeatureMap, _ image: Int = 0, _ pixel: Int = 0) -> UnsafeMutablePointer<Float> {
        base + map.offset(image, pixel)
    }
}
