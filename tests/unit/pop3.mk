# Test programs of this part.
