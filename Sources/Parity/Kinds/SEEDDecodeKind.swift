import Checkpoints
import Foundation
import SEED
import Tensors

/// Cases of kind seed-decode: the ids of pictures, `[pictures, ids]`; over all pictures codes, decode_task_out, block_0 …,
/// image_down and image_embeds.
enum SEEDDecodeKind {
    static func run(_ verification: Verification) throws {
        let golden = verification.golden
        let file = golden.modelFile(SEEDModel.quantizerFile) { $0.hasSuffix(SEEDModel.quantizerFile) }
        let quantizer = try SEEDQuantizer(.open(file), SEEDEncodeKind.configuration(golden.about))
        let inputs = try golden.inputs()
        let (_, pictures, count) = try inputs.matrix("indices")
        let ids = try inputs.ids("indices")
        var values: [String: (floats: [Float], shape: [Int])] = [:]
        for picture in 0..<pictures {
            verification.stage("picture \(picture + 1) of \(pictures)")
            let part = Array(ids[(picture * count)..<((picture + 1) * count)])
            let embedding = try quantizer.embedding(of: part) { name, value in
                values[name, default: ([], value.shape)].floats += value.values
            }
            values["image_embeds", default: ([], [embedding.count])].floats += embedding
        }
        for (name, all) in values.sorted(by: { $0.key < $1.key }) {
            try verification.compare(name, TypedArray(all.floats, shape: [pictures] + all.shape))
        }
    }
}
