"""What a person gives a trained model: pictures, numbers, text; see README.md."""
