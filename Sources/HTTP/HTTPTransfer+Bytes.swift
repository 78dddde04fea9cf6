import Compute

extension HTTPTransfer {
    /// Runs the transfer on a thread of its own, and collects the body.
    ///
    /// - Parameter limit: the most bytes that are taken; a longer body is an error as soon as it is seen.
    /// - Throws: `Failure`.
    public func bytes(atMost limit: Int) async throws(Failure) -> (status: Int, body: [UInt8]) {
        try await onThread(named: "http") { Result { () throws(Failure) in try collect(limit) } }.get()
    }

    private func collect(_ limit: Int) throws(Failure) -> (status: Int, body: [UInt8]) {
        var body: [UInt8] = []
        do {
            let answer = try run { bytes in
                guard body.count + bytes.count <= limit else {
                    var failure = Failure(reason: "the answer is longer than \(limit) bytes", isTransient: false)
                    failure.isAnswered = true
                    throw failure
                }
                body += bytes
            }
            return (answer.status, body)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(reason: "\(error)", isTransient: false)
        }
    }
}
