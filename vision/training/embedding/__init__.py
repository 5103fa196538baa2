"""Train the embedding of products. The only part of products that needs torch."""
