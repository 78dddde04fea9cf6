import Foundation
import Server
import TestDaemon
import TestSupport

/// A daemon's configuration whose models are the golden cases' small ones, and see and draw pictures; music is left out, since
/// the golden vocabulary has more of it than the default model's Encodec. What has to be written is, into `folder`.
func goldenConfiguration(in folder: URL) throws -> Configuration {
    let seed = folder.appending(path: "seed")
    try FileManager.default.createDirectory(at: seed, withIntermediateDirectories: true)
    for name in ["seed_quantizer.pt", "eva_vit_g.pth"] {
        try FileManager.default.createSymbolicLink(
            at: seed.appending(path: name), withDestinationURL: Golden.file("seed-encode", name))
    }
    try Data(#"{"vision_heads": 4, "vision_depth": 3, "query_heads": 6}"#.utf8)
        .write(to: seed.appending(path: "seed_config.json"))
    var configuration = try shippedConfiguration()
    configuration.seed = 7
    configuration.model.llama = Golden.folder("llama-hf").path
    configuration.model.speechTokenizer = Golden.folder("speechtokenizer-snake").path
    configuration.model.soundStorm = Golden.file("soundstorm", "speechtokenizer_soundstorm_mls.pt").path
    configuration.model.soundStormHeads = 4
    configuration.model.soundStormHeadWidth = 16
    configuration.model.voice = ""
    configuration.model.greeting = ""
    configuration.model.encodec = ""
    configuration.model.seed = seed.path
    configuration.model.unclip = Golden.file("unclip-half", "stable-diffusion-2-1-unclip").path
    configuration.image.steps = 3
    (configuration.image.width, configuration.image.height) = (96, 64)
    configuration.artifacts.folder = folder.appending(path: "artifacts").path
    configuration.sampling.text.maxNewTokens = 6
    return configuration
}
