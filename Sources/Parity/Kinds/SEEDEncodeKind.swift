import Checkpoints
import Foundation
import Images
import SEED
import Tensors

/// Cases of kind seed-encode: picture files, of each rgb/FILE, resized/FILE and pixels/FILE; over all pictures, in the
/// order of `image_order`, vit_out, qformer_out, z, indices and decode_task_out; and first/… of the first picture.
struct SEEDEncodeKind {
    private let verification: Verification
    private let model: SEEDModel
    /// What the network made of the pictures so far, one after the other, by the tensor's name.
    private var values: [String: (floats: [Float], shape: [Int])] = [:]
    private var ids: [[Int32]] = []

    static func run(_ verification: Verification) throws {
        let golden = verification.golden
        let configuration = configuration(golden.about)
        func file(_ name: String) -> URL { golden.modelFile(name) { $0.hasSuffix(name) } }
        let model = try SEEDModel(
            vision: VisionTransformer(.open(file(SEEDModel.visionFile)), configuration),
            quantizer: SEEDQuantizer(.open(file(SEEDModel.quantizerFile)), configuration))
        var kind = SEEDEncodeKind(verification: verification, model: model)
        let names = try pictures(golden)
        guard !names.isEmpty else { throw CaseError("verify", golden.folder.path, "it has no pictures") }
        for (index, name) in names.enumerated() { try kind.verifyPicture(name, isFirst: index == 0) }
        try kind.compareAll()
    }

    /// What `case.json` says of the network beside its tensors.
    static func configuration(_ about: JSON) -> SEEDConfiguration {
        var configuration = SEEDConfiguration()
        let (vision, former) = (about["config"]?["vit"], about["config"]?["qformer"])
        configuration.visionHeads = vision?["num_heads"]?.integer ?? configuration.visionHeads
        configuration.visionDepth = vision?["depth"]?.integer ?? configuration.visionDepth
        configuration.queryHeads = former?["num_attention_heads"]?.integer ?? configuration.queryHeads
        return configuration
    }

    private static func pictures(_ golden: GoldenCase) throws -> [String] {
        if case .list(let names)? = golden.about["image_order"] { return names.compactMap(\.text) }
        return try FileManager.default.contentsOfDirectory(atPath: golden.file("images").path).sorted()
    }

    // MARK: Each picture

    private mutating func verifyPicture(_ name: String, isFirst: Bool) throws {
        verification.stage("\(name): reading")
        let url = verification.golden.file("images/\(name)")
        let image: RGBImage
        do {
            image = try ImageFile.decode([UInt8](JSON.contents(of: url)))
        } catch let error as ImageFileError {
            throw CaseError("read", url.path, error.description)
        }
        let small = image.resized(width: model.vision.side, height: model.vision.side)
        try verification.compare("rgb/\(name)", TypedArray(image))
        try verification.compare("resized/\(name)", TypedArray(small))
        try verification.compare("pixels/\(name)", PixelNormalization.planes(small))

        verification.stage("\(name): network")
        var made: [(name: String, value: Tensor)] = []
        ids.append(model.encode(image) { made.append(($0, $1)) })
        for (name, value) in made {
            if isFirst { try verification.compare("first/\(name)", value) }
            if verification.expects(name) {
                values[name, default: ([], value.shape)].floats += value.values
            }
        }
    }

    // MARK: All pictures

    private func compareAll() throws {
        for (name, all) in values.sorted(by: { $0.key < $1.key }) {
            try verification.compare(name, TypedArray(all.floats, shape: [ids.count] + all.shape))
        }
        let (count, rows) = (ids.count, model.quantizer.queries)
        try verification.compare("indices", TypedArray(ids.flatMap { $0.map(Int.init) }, shape: [count, rows]))
        guard verification.expects("decode_task_out") else { return }
        var decoded: (floats: [Float], shape: [Int]) = ([], [])
        for ids in ids {
            _ = try model.quantizer.embedding(of: ids) { name, value in
                if name == "decode_task_out" { decoded = (decoded.floats + value.values, value.shape) }
            }
        }
        try verification.compare("decode_task_out", TypedArray(decoded.floats, shape: [count] + decoded.shape))
    }
}

extension TypedArray {
    /// A picture as `[height, width, 3]`.
    fileprivate init(_ image: RGBImage) {
        self.init(dtype: .uint8, shape: [image.height, image.width, 3], bytes: image.bytes)
    }
}
