// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target of ours is held to this.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let tomlKit = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")

/// A library target: a room of the house, see Documentation/Architecture.md.
func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of one target; they may also use what TestSupport offers.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestSupport"], exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "anygptd",
    products: [
        .executable(name: "anygptd", targets: ["anygptd"]),
        .executable(name: "anygpt", targets: ["anygpt"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // C: our kernels, and system libraries with the shims that Swift needs to import them.
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-Wno-psabi"])]),
        .target(name: "CPlatform"),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "COpus", pkgConfig: "opus", providers: [.apt(["libopus-dev"])]),
        .systemLibrary(name: "CPulse", providers: [.apt(["libpulse-dev"])]),
        .systemLibrary(name: "CSampleRate", pkgConfig: "samplerate", providers: [.apt(["libsamplerate0-dev"])]),
        .systemLibrary(name: "CSndFile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(name: "CVoiceActivity", providers: [.apt(["libwebrtc-audio-processing-dev"])]),
        .systemLibrary(name: "CWebSockets", pkgConfig: "libwebsockets", providers: [.apt(["libwebsockets-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CSentencePiece", linkerSettings: [.linkedLibrary("sentencepiece")]),
        .target(
            name: "CImageFiles", linkerSettings: ["png16", "jpeg", "webp", "webpdemux"].map { .linkedLibrary($0) }),

        // From the machine upwards: a target imports only from the rows above it.
        room("Checksums", ["CCrypto"]),
        room("Compute", ["CPlatform"]),
        room("Tensors", ["CKernels", "COpenBLAS", "Compute"]),
        room("Checkpoints", ["Tensors", "CZlib"]),
        room("Tokenizers", ["CSentencePiece"]),
        room("Images", ["CImageFiles"]),
        room("Layers", ["Tensors", "Checkpoints"]),
        room("SpeechTokenizer", ["Layers"]),
        room("SoundStorm", ["Layers"]),
        room("Encodec", ["Layers"]),
        room("SEED", ["Layers", "Images"]),
        room("Llama", ["Layers"]),
        room("UnCLIP", ["Tensors", "Checkpoints", "Compute"]),
        room(
            "AnyGPT",
            ["Compute", "Images", "Tokenizers", "SpeechTokenizer", "SoundStorm", "Encodec", "SEED", "UnCLIP", "Llama"]),
        room("Audio", ["COpus", "CSampleRate", "CSndFile", "CVoiceActivity"]),
        room("Wire", []),
        room("WebSockets", ["CWebSockets"]),
        room("HTTP", ["CCurl", "Compute"]),
        room("CheckpointTools", ["Checksums", "HTTP", "AnyGPT", "UnCLIP"]),
        room("Pulse", ["CPulse"]),
        room("Parity", ["Audio", "AnyGPT", "Images", "SEED", "UnCLIP"]),
        room("Client", ["Audio", "Checksums", "Compute", "HTTP", "Wire", "WebSockets", "Pulse"]),
        room(
            "Server",
            [
                "AnyGPT", "Audio", "Checksums", "Images", "UnCLIP", "Wire", "WebSockets", "Pulse", "Client", logging,
                tomlKit,
            ]),
        room(
            "Doctor",
            [
                "AnyGPT", "CheckpointTools", "Client", "Pulse", "Server", "Wire", "COpus", "CSampleRate", "CSndFile",
                "CWebSockets", "CZlib", "CCrypto", "CCurl", "COpenBLAS", "CPlatform",
            ]),

        .executableTarget(name: "anygptd", dependencies: ["Server", argumentParser, logging], swiftSettings: strict),
        .executableTarget(
            name: "anygpt",
            dependencies: [
                "CheckpointTools", "Client", "Doctor", "Images", "Parity", "Pulse", "Server", "UnCLIP", argumentParser,
            ],
            swiftSettings: strict),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "TestModels", dependencies: ["Llama", "TestSupport"], path: "Tests/TestModels",
            swiftSettings: strict),
        .target(
            name: "TestDaemon", dependencies: ["Server", "TestSupport", logging], path: "Tests/TestDaemon",
            swiftSettings: strict),
        tests("ChecksumsTests", ["Checksums"]),
        tests("TensorsTests", ["Tensors", "CKernels", "Compute"]),
        tests("CheckpointsTests", ["Checkpoints"]),
        tests("TokenizersTests", ["Tokenizers"]),
        tests("SpeechTokenizerTests", ["SpeechTokenizer"]),
        tests("SoundStormTests", ["SoundStorm"]),
        tests("EncodecTests", ["Encodec"]),
        tests("UnCLIPTests", ["UnCLIP"]),
        tests("SEEDTests", ["SEED"]),
        tests("LlamaTests", ["Llama", "TestModels"]),
        tests("AnyGPTTests", ["AnyGPT", "TestModels"]),
        tests("CheckpointToolsTests", ["CheckpointTools", "TestModels"]),
        tests("DoctorTests", ["Doctor", "Server", "TestModels"]),
        tests("AudioTests", ["Audio", "COpus", "CSndFile"]),
        tests("ImagesTests", ["Images"], exclude: ["Pictures"]),
        tests("WireTests", ["Wire"]),
        tests("WebSocketsTests", ["WebSockets", "CWebSockets"]),
        tests("PulseTests", ["Pulse"]),
        tests("ParityTests", ["Parity"]),
        tests("ServerTests", ["Server", "Client", "Pulse", "TestDaemon", "TestModels"]),
        tests("ServiceTests", ["Server", "WebSockets", "Compute", logging]),
        tests("WebTests", ["Server", "TestDaemon"], exclude: ["Modules"]),
    ],
    cxxLanguageStandard: .cxx17
)

// Fuzzers are built by `make fuzz` alone: everything has to be compiled for them, with a sanitizer.
if Context.environment["ANYGPT_FUZZING"] != nil {
    package.targets += [
        .target(name: "CFuzzer", path: "Tests/Fuzzing/CFuzzer"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CFuzzer", "Checkpoints", "Tokenizers", "Llama", "SpeechTokenizer", "SoundStorm", "Encodec", "SEED",
                "UnCLIP", "Tensors", "Audio", "Wire",
            ],
            path: "Tests/Fuzzing/fuzz", swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]),
    ]
}
