// SpeechTokenizer
