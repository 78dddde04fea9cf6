public import Images
public import Tensors

/// 8-bit pixels as the vision transformer takes them: scaled to 0…1, less the mean, divided by the deviation of each
/// channel (those that CLIP was trained with).
public enum PixelNormalization {
    private static let mean: [Float] = [0.48145466, 0.4578275, 0.40821073]
    private static let deviation: [Float] = [0.26862954, 0.26130258, 0.27577711]

    /// `[3, 256]`: what each value of each channel becomes.
    static let table: [Float] = (0..<3).flatMap { channel in
        (0..<256).map { (Float($0) / 255 - mean[channel]) / deviation[channel] }
    }

    /// A picture as `[3, height, width]`.
    public static func planes(_ image: RGBImage) -> Tensor {
        let count = image.width * image.height
        return Tensor(generating: [3, image.height, image.width]) { target in
            for channel in 0..<3 {
                for pixel in 0..<count {
                    target[channel * count + pixel] = table[channel * 256 + Int(image.bytes[pixel * 3 + channel])]
                }
            }
        }
    }
}
