// SpeechTokenizerTests
