// Whoever imports Tensors may call the table's functions; nobody else imports the kernels themselves.
@_exported import CKernels

/// The inner loops for this processor, chosen once at the start.
///
/// A plain struct of C function pointers: calling one costs an indirect call and nothing else. Shapes stand beside each
/// function in `ckernels.h`.
///
/// Invariant (of the unchecked isolation): the table is constant from its initialisation on.
public nonisolated(unsafe) let kernels: ck_table = ck_best().pointee

extension ck_table {
    /// "scalar", "avx2" or "avx512".
    public var instructionSet: String { String(cString: name) }
}
