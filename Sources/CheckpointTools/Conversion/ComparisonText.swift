public import Foundation
public import Llama
import Tokenizers

/// What two backbones are compared on.
public enum ComparisonText {
    /// A plain English text in the public domain: the opening of "Alice's Adventures in Wonderland", 1865.
    static let text = """
        Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: once or \
        twice she had peeped into the book her sister was reading, but it had no pictures or conversations in it, "and what \
        is the use of a book," thought Alice "without pictures or conversations?" So she was considering in her own mind, as \
        well as she could, for the hot day made her feel very sleepy and stupid, whether the pleasure of making a \
        daisy-chain would be worth the trouble of getting up and picking the daisies, when suddenly a White Rabbit with \
        pink eyes ran close by her. There was nothing so very remarkable in that; nor did Alice think it so very much out \
        of the way to hear the Rabbit say to itself, "Oh dear! Oh dear! I shall be late!"
        """

    /// At most `count` ids: the text as the folder's tokenizer writes it; ids by a fixed rule, all over the vocabulary,
    /// where there is no tokenizer.
    public static func ids(for model: LlamaModel, folder: URL, count: Int) throws -> [Int32] {
        let limit = min(count, model.configuration.max_position_embeddings)
        guard FileManager.default.fileExists(atPath: folder.appending(path: "tokenizer.model").path) else {
            return (0..<limit).map { Int32($0 &* 7919 % model.configuration.vocab_size) }
        }
        let tokenizer = try LlamaTokenizer(folder: folder)
        var ids = try tokenizer.encode(text)
        while ids.count < limit { ids += try tokenizer.encode(text) }
        return Array(ids.prefix(limit))
    }
}
