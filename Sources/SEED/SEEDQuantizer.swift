public import Checkpoints
import Layers
import Tensors

/// Everything in `seed_quantizer.pt`: from the vision transformer's tokens to ids (`ln_vision`, the Q-Former, the task layer,
/// the codebook), and from ids to the embedding that a picture is drawn from (the task layer back, four blocks, the way
/// down, the projection).
///
/// Officially 32 ids out of 8192, a Q-Former of 12 layers of 768 channels, and an embedding of 1024 values. The weights
/// stay mapped where the file has them as they are used.
public struct SEEDQuantizer: Sendable {
    let ln_vision: LayerNorm
    let qformer: QFormer
    let encode_task_layer: [MappedLinear]
    let quantize: Codebook
    let decode_task_layer: [MappedLinear]
    let pos_embed_image: Tensor
    let blocks_image: [Block]
    let image_down: [MappedLinear]
    let distill_image_proj: MappedLinear

    /// The parts of the file that make this network. What stands beside them are branches for text.
    private static let parts: Set<String> = [
        "query_tokens", "pos_embed_image", "ln_vision", "Qformer", "quantize", "encode_task_layer",
        "decode_task_layer", "blocks_image", "image_down", "distill_image_proj",
    ]
    /// BERT's parts for text, which the reference throws away.
    private static let passedOver: [TensorPattern] = [
        "Qformer.cls.**", "Qformer.bert.embeddings.word_embeddings.**",
        "Qformer.bert.embeddings.position_embeddings.**",
        "Qformer.bert.embeddings.position_ids", "Qformer.bert.encoder.layer.*.intermediate.**",
        "Qformer.bert.encoder.layer.*.output.**",
    ]
    /// The reference has this number in its code, whatever the width.
    private static let blockHeads = 12

    /// Loads a `seed_quantizer.pt`. Branches for text are passed over; within the parts that are used, anything missing,
    /// left over or wrongly shaped is an error.
    public init(_ checkpoint: Checkpoint, _ configuration: SEEDConfiguration) throws {
        let branches = Set(checkpoint.names.map { String($0.prefix { $0 != "." }) }).subtracting(Self.parts)
        let weights = Weights(
            checkpoint,
            passingOver: Self.passedOver + branches.flatMap { [TensorPattern($0), TensorPattern("\($0).**")] })
        let vision = try weights.size("ln_vision.weight", axis: 0, of: 1)
        // PyTorch's default: the reference's own LayerNorm names no other.
        ln_vision = try LayerNorm(weights["ln_vision"], vision, epsilon: 1e-5)
        qformer = try QFormer(weights, vision: vision, heads: configuration.queryHeads)
        quantize = try Codebook(weights["quantize"])
        let (size, dimension) = (qformer.size, quantize.dimension)
        encode_task_layer = [
            try MappedLinear(weights["encode_task_layer.0"], size, size),
            try MappedLinear(weights["encode_task_layer.2"], size, dimension),
        ]
        decode_task_layer = [
            try MappedLinear(weights["decode_task_layer.0"], dimension, dimension),
            try MappedLinear(weights["decode_task_layer.2"], dimension, size),
        ]
        pos_embed_image = try weights.tensor("pos_embed_image", [1, qformer.queries, size])
        let blocks = weights["blocks_image"]
        try blocks.requireConsecutive(blocks.childIndices)
        try weights.requireHeads(Self.blockHeads, share: size, of: "blocks_image")
        blocks_image = try blocks.childIndices.map {
            try Block(blocks[$0], size: size, heads: Self.blockHeads, bias: .fused)
        }
        var width = size
        image_down = try weights["image_down"].childIndices.map { index in
            let layer = weights["image_down"][index]
            let inputs = width
            width = try layer.size("weight", axis: 0, of: 2)
            return try MappedLinear(layer, inputs, width, bias: false)
        }
        let projection = weights["distill_image_proj"]
        distill_image_proj = try MappedLinear(
            projection, qformer.queries * width, try projection.size("weight", axis: 0, of: 2))
        try weights.requireAllUsed()
    }

    /// Ids of a picture; officially 32.
    public var queries: Int { qformer.queries }
    /// Codes that an id is one of; officially 8192.
    public var codes: Int { quantize.codes }
    /// Values of an embedding; officially 1024.
    public var embeddingSize: Int { distill_image_proj.outputs }
    /// Channels of the vision transformer's tokens.
    var visionSize: Int { ln_vision.size }

    /// The embedding of a picture's ids: what Stable unCLIP draws it from. Takes some 50 ms at full size; see
    /// `SEEDDetokenizing` for pieces.
    ///
    /// - Throws: a `SEEDError` when there are not `queries` ids, each below `codes`.
    public func embedding(of ids: [Int32], trace: SEEDTrace? = nil) throws(SEEDError) -> [Float] {
        let run = try SEEDDetokenizing(ids, self, trace: trace)
        while run.step() {}
        return run.embedding
    }
}
