print("anygptd")
