// SoundStorm
