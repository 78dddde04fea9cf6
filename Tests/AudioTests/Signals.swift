import Audio
import Foundation
import TestSupport

/// A recording of the golden cases, 16 kHz mono.
func recording(_ name: String, _ file: String) throws -> [Float] {
    try AudioFile.read(Golden.file(name, file).path()).mono(sampleRate: 16_000)
}

/// The recorded question of the chain: speech from the first sample to the last.
func question() throws -> [Float] { try recording("chain", "question.wav") }

/// A sine of an amplitude.
func tone(_ hertz: Double, amplitude: Double = 0.5, count: Int, sampleRate: Int = 16_000) -> [Float] {
    (0..<count).map { Float(amplitude * sin(2 * .pi * hertz * Double($0) / Double(sampleRate))) }
}

/// White noise of a level in dBFS.
func noise(dBFS level: Double, count: Int, using generator: inout TestGenerator) -> [Float] {
    let amplitude = Float(pow(10, level / 20))
    return generator.normal(count).map { $0 * amplitude }
}

/// The mean power in dB.
func decibels(_ samples: some Collection<Float>) -> Double {
    10 * log10(samples.reduce(0) { $0 + Double($1) * Double($1) } / Double(samples.count))
}

/// How far the difference lies below the signal, in dB, over the samples that both have.
func signalToNoise(_ signal: some Collection<Float>, _ heard: some Collection<Float>) -> Double {
    let pairs = Array(zip(signal, heard))
    return decibels(pairs.map(\.0)) - decibels(pairs.map { $0 - $1 })
}

/// Cuts samples into pieces of 0 to `longest` samples.
func pieces<Element>(
    _ samples: [Element], longest: Int, using generator: inout TestGenerator
) -> [ArraySlice<Element>] {
    var pieces: [ArraySlice<Element>] = []
    var start = 0
    while start < samples.count {
        let end = min(samples.count, start + Int.random(in: 0...longest, using: &generator))
        pieces.append(samples[start..<end])
        start = end
    }
    return pieces
}

/// A path in the folder for temporary files that nobody else uses.
func temporaryPath(_ suffix: String) -> String {
    FileManager.default.temporaryDirectory.appending(path: "anygpt-audio-\(UUID().uuidString)-\(suffix)").path()
}
