import Tensors
import TestSupport
import Testing

@testable import UnCLIP

@Suite("The feed-forward network") struct FeedForwardTests {
    @Test("gives the same bits, however many outputs a unit takes", arguments: [72, 64, 20])
    func parts(channels: Int) throws {
        let parameters = RandomParameters(seed: 7)
        let network = try FeedForward(parameters, channels: channels)
        let norm = try LayerNorm(parameters, channels)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        let x = random.normal(2 * 5 * 23 * channels)
        let results = [.max, 96 * 2 * channels * 64, 1].map { unitWork in
            var b = PlanBuilder()
            let map = b.map(2, 5, 23, channels)
            network.plan(&b, map, norm: norm, unitWork: unitWork)
            let run = PlanRun(b.plan)
            run.write(x, to: map)
            run.advance(for: .seconds(1000))
            return run.picture(map).values
        }
        #expect(results[0] != x && results[0].allSatisfy(\.isFinite), "seed \(seed)")
        #expect(results[1] == results[0] && results[2] == results[0], "seed \(seed)")
    }
}
