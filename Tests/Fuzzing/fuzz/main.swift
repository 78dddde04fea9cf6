import CFuzzer
import Foundation

// `fuzz TARGET [libFuzzer's options] [CORPUS…]` runs one target; `fuzz seeds FOLDER` writes every target's first inputs.

let arguments = CommandLine.arguments
guard arguments.count > 1 else {
    print("usage: fuzz TARGET [-option=value…] [corpus…], or: fuzz seeds FOLDER")
    print("targets: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
    exit(2)
}
if arguments[1] == "seeds" {
    try Seeds.write(to: URL(filePath: arguments.count > 2 ? arguments[2] : ".build-fuzz/seeds"))
    exit(0)
}
guard let target = FuzzTarget(rawValue: arguments[1]) else {
    print("no such target: \(arguments[1])")
    exit(2)
}
FuzzTarget.chosen = target

// libFuzzer sees the arguments behind the target's name.
var rest = ([arguments[0]] + arguments.dropFirst(2)).map { strdup($0) } + [nil]
let status: Int32 = rest.withUnsafeMutableBufferPointer { pointers in
    var count = Int32(pointers.count - 1)
    var start = pointers.baseAddress
    return LLVMFuzzerRunDriver(&count, &start) { data, size in
        FuzzTarget.chosen.run(UnsafeRawBufferPointer(start: data, count: size))
        return 0
    }
}
exit(status)
