/// Picture files as a whole; see `ImageDecoder` for what is read, and how in pieces.
public enum ImageFile {
    /// What a file's header tells. Throws as `ImageDecoder` does; the pixels are not looked at.
    public static func info(_ bytes: [UInt8], limits: ImageLimits = ImageLimits()) throws(ImageFileError) -> ImageInfo {
        try ImageDecoder(bytes, limits: limits).info
    }

    /// The picture of a file. Takes some 10 ms for each megapixel.
    public static func decode(_ bytes: [UInt8], limits: ImageLimits = ImageLimits()) throws(ImageFileError) -> RGBImage
    {
        let decoder = try ImageDecoder(bytes, limits: limits)
        while try decoder.step() {}
        return decoder.image
    }
}
