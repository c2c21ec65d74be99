"""Hospital-in-a-box: synthetic people and stays, the messages sent about them, and the truth to check against."""
