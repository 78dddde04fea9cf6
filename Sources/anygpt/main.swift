print("anygpt")
