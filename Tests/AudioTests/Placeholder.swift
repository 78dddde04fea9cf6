// AudioTests
