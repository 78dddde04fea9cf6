/// How the daemon is set up. A new `Configuration` has the defaults; `load(path:)` reads a file in TOML over them.
///
/// A key is three lines: a property with its default, an entry in its table's `keys`, and its description in
/// `config.toml`, which a test holds to the other two.
public struct Configuration: Sendable, Equatable {
    /// Where the pseudo-random numbers of every session start; 0 takes a fresh start from the system for each.
    public var seed = 0
    /// `[server]`
    public var server = Server()
    /// `[model]`
    public var model = Model()
    /// `[compute]`
    public var compute = Compute()
    /// `[turn]`
    public var turn = Turn()
    /// `[ingest]`
    public var ingest = Ingest()
    /// `[speech]`
    public var speech = Speech()
    /// `[music]`
    public var music = Music()
    /// `[image]`
    public var image = Image()
    /// `[artifacts]`
    public var artifacts = Artifacts()
    /// `[sampling.text]`, `[sampling.speech]`, `[sampling.image]`, `[sampling.music]`
    public var sampling = SamplingOfModalities()
    /// `[desktop]`
    public var desktop = Desktop()
    /// `[log]`
    public var log = Log()

    /// The defaults, with paths relative to the current folder.
    public init() {}

    static let keys: [ConfigurationKey<Configuration>] =
        [.integer("seed", \.seed, 0...Int.max)]
        + Server.keys.map { $0.under("server", \.server) }
        + Model.keys.map { $0.under("model", \.model) }
        + Compute.keys.map { $0.under("compute", \.compute) }
        + Turn.keys.map { $0.under("turn", \.turn) }
        + Ingest.keys.map { $0.under("ingest", \.ingest) }
        + Speech.keys.map { $0.under("speech", \.speech) }
        + Music.keys.map { $0.under("music", \.music) }
        + Image.keys.map { $0.under("image", \.image) }
        + Artifacts.keys.map { $0.under("artifacts", \.artifacts) }
        + SamplingOfModalities.keys.map { $0.under("sampling", \.sampling) }
        + Desktop.keys.map { $0.under("desktop", \.desktop) }
        + Log.keys.map { $0.under("log", \.log) }
}

extension Configuration {
    /// Who may connect, and how much they may ask for.
    public struct Server: Sendable, Equatable {
        /// The address to listen on.
        public var host = "127.0.0.1"
        /// The TCP port; 0 takes any that is free.
        public var port = 8787
        /// The web client's folder, served at `/`; empty for none.
        public var web = "Clients/web"
        /// The origins of other sites' pages that may open WebSockets, such as `https://voice.example.org`.
        public var allowedOrigins: [String] = []
        /// The certificate for TLS, with those that vouch for it behind it, in PEM; empty speaks plain HTTP.
        public var certificate = ""
        /// The certificate's private key in PEM, without a passphrase.
        public var privateKey = ""
        /// Connections at a time; more are refused.
        public var maxConnections = 16
        /// The longest message, in bytes.
        public var maxMessageBytes = 1 << 20
        /// A connection that has sent nothing for so long is closed, in seconds.
        public var idleTimeout = 300.0
        /// How long sessions may take to end when the daemon is told to stop, in seconds.
        public var shutdownGrace = 3.0

        /// The host as URLs have it; whoever listens on every address is reached on this machine's own.
        public var reachableHost: String {
            switch host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "[::1]"
            default: host.contains(":") ? "[\(host)]" : host
            }
        }

        static let keys: [ConfigurationKey<Server>] = [
            .text("host", \.host),
            .integer("port", \.port, 0...65_535),
            .path("web", \.web, mayBeEmpty: true),
            .texts("allowed_origins", \.allowedOrigins),
            .path("certificate", \.certificate, mayBeEmpty: true),
            .path("private_key", \.privateKey, mayBeEmpty: true),
            .integer("max_connections", \.maxConnections, 1...10_000),
            .integer("max_message_bytes", \.maxMessageBytes, 1024...(64 << 20)),
            .number("idle_timeout_s", \.idleTimeout, 1...86_400),
            .number("shutdown_grace_s", \.shutdownGrace, 0...4.5),
        ]
    }

    /// The networks' files, and what the assistant is told.
    public struct Model: Sendable, Equatable {
        /// The backbone: a folder in Hugging Face's layout.
        public var llama = "Models/pocket/llama"
        /// What the backbone has been taught, or that its folder's name tells.
        public var kind = Kind.auto
        /// SpeechTokenizer: a folder with `ckpt.dev` and `config.json`.
        public var speechTokenizer = "Models/pocket/speech"
        /// SoundStorm: a `.pt` file.
        public var soundStorm = "Models/pocket/speech/speechtokenizer_soundstorm_mls.pt"
        /// Encodec, AnyGPT's music tokenizer: a folder as Hugging Face keeps it; empty for none, and no music.
        public var encodec = "Models/pocket/encodec"
        /// SEED-2, AnyGPT's image tokenizer: a folder with `seed_quantizer.pt` and `eva_vit_g.pth`; empty for none, and no
        /// pictures.
        public var seed = "Models/pocket/seed"
        /// Stable Diffusion 2.1 unCLIP, which draws the pictures: a folder as diffusers keeps it; empty draws none.
        public var unclip = "Models/pocket/unclip"
        /// SoundStorm's attention heads, which its file does not tell; 0 reads them from `soundstorm.json` beside it.
        public var soundStormHeads = 0
        /// The width of a head; 0 as above.
        public var soundStormHeadWidth = 0
        /// A recording of the voice that answers; empty lets SoundStorm make one up.
        public var voice = "Models/pocket/voice.wav"
        /// A text that the log shows when the model is ready: what it can do and what it can't; empty for none.
        public var greeting = "Models/pocket/GREETING.txt"
        /// The system prompt; empty takes the one that the model was trained with.
        public var systemPrompt = ""

        static let keys: [ConfigurationKey<Model>] = [
            .path("llama", \.llama),
            .choice("kind", \.kind),
            .path("speech_tokenizer", \.speechTokenizer),
            .path("soundstorm", \.soundStorm),
            .path("encodec", \.encodec, mayBeEmpty: true),
            .path("seed", \.seed, mayBeEmpty: true),
            .path("unclip", \.unclip, mayBeEmpty: true),
            .integer("soundstorm_heads", \.soundStormHeads, 0...256),
            .integer("soundstorm_dim_head", \.soundStormHeadWidth, 0...1024),
            .path("voice", \.voice, mayBeEmpty: true),
            .path("greeting", \.greeting, mayBeEmpty: true),
            .text("system_prompt", \.systemPrompt, mayBeEmpty: true),
        ]
    }

    /// The processor.
    public struct Compute: Sendable, Equatable {
        /// Threads that compute; 0 takes one for each core.
        public var threads = 0

        static let keys: [ConfigurationKey<Compute>] = [
            .integer("threads", \.threads, 0...1024)
        ]
    }

    /// What the daemon writes about itself.
    public struct Log: Sendable, Equatable {
        /// From the most to the least talkative.
        public enum Level: String, Sendable, CaseIterable {
            case trace, debug, info, notice, warning, error, critical
        }

        /// The least important messages that are written.
        public var level = Level.info

        static let keys: [ConfigurationKey<Log>] = [
            .choice("level", \.level)
        ]
    }
}
