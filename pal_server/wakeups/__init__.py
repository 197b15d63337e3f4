"""Wake-ups say *look again*, never *what*; everything is right, only slower, with all of them lost."""
