// AnyGPT
