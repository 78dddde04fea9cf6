// SoundStormTests
