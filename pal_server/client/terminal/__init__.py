"""What `pal cli` and `pal console` share: how calls are made, answers shown and failures told in a terminal."""
