import AnyGPT
import Images
import UnCLIP

extension Configuration {
    /// Pictures that are shown to the model, and pictures that it draws.
    public struct Image: Sendable, Equatable {
        /// Steps of the scheduler.
        public var steps = 10
        /// How much the tokens are stressed.
        public var guidance = 1.0
        /// The width in pixels; 0 takes what the network was trained at.
        public var width = 0
        /// The height in pixels; 0 as above.
        public var height = 0
        /// The most pixels that a picture which is shown may have.
        public var maxPixels = 64_000_000

        static let keys: [ConfigurationKey<Image>] = [
            .integer("steps", \.steps, 2...999),
            .number("guidance", \.guidance, 0...100),
            .integer("width", \.width, 0...UnCLIPModel.largestSide),
            .integer("height", \.height, 0...UnCLIPModel.largestSide),
            .integer("max_pixels", \.maxPixels, 1...1_000_000_000),
        ]

        /// What a picture that is shown may be; its bytes are limited where they come in.
        var limits: ImageLimits {
            var limits = ImageLimits()
            limits.pixels = maxPixels
            limits.bytes = .max
            return limits
        }

        /// How pictures are drawn.
        var settings: PictureSettings {
            var settings = PictureSettings()
            settings.steps = steps
            settings.guidance = Float(guidance)
            settings.size = width > 0 && height > 0 ? PictureSize(width: width, height: height) : nil
            return settings
        }
    }
}
