// AnyGPTTests
