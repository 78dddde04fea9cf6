// WebSocketsTests
